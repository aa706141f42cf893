"""The add-ons' charts, upstream's own, on the real API server.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from kubernetes import client, config
from pulumi import automation

from aiplatform.addons.catalog import catalog
from aiplatform.addons.charts import locate, problems
from aiplatform.addons.install import install
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from tests.end_to_end.harness import eventually
from tests.end_to_end.plain import Base, Plain
from twin.toolchain.charts import ensure_charts, sources

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]

NAMES = sorted(sources())
SETUP = Setup()


class Addons(pulumi.ComponentResource):
    """The add-ons whose charts are to be had, each on its own."""

    def __init__(self, folder: str) -> None:
        super().__init__("tests:index:Addons", "addons")
        for name in NAMES:
            addon = catalog()[name]
            values = VALUES[name](SETUP) if name in VALUES else {}
            install(self, "addons", addon, locate(addon, folder), values)


@pytest.fixture(scope="module")
def nodes(plain: Plain, base: Base) -> Iterator[automation.Stack]:
    """Two system nodes."""
    stack = plain.stack("addons-nodes", lambda: _nodes(base))
    stack.up()
    yield stack
    stack.destroy()


@pytest.fixture(scope="module")
def addons(plain: Plain, nodes: automation.Stack) -> Iterator[automation.Stack]:
    stack = plain.stack("addons", _program)
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(plain.world.kubeconfig)))
    yield stack
    stack.destroy()


def test_every_controller_runs_in_a_restricted_namespace(plain: Plain, addons: automation.Stack) -> None:
    addons.up()
    core = core_of(plain)
    apps: Any = client.AppsV1Api(client_of(plain))
    for addon in (catalog()[name] for name in NAMES if catalog()[name].images):
        labels = core.read_namespace(addon.namespace).metadata.labels
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        for deployment in apps.list_namespaced_deployment(addon.namespace).items:
            assert deployment.status.ready_replicas == SETUP.replicas, deployment.metadata.name


def test_every_pod_runs_an_image_of_the_catalog(plain: Plain) -> None:
    for addon in (catalog()[name] for name in NAMES if catalog()[name].images):
        pods = core_of(plain).list_namespaced_pod(addon.namespace).items
        running = {container.image for pod in pods for container in pod.spec.containers}
        assert running
        assert running <= {image.reference for image in addon.all_images()}


def test_every_definition_of_the_catalog_is_served(plain: Plain) -> None:
    assert {name for addon in NAMES for name in catalog()[addon].crds} <= definitions(plain)


def test_nothing_changes_when_nothing_changed(addons: automation.Stack) -> None:
    addons.preview(expect_no_changes=True)


def test_definitions_outlive_their_addon_and_are_taken_over_again(
    plain: Plain, addons: automation.Stack
) -> None:
    addons.destroy()
    eventually("gone namespaces", lambda: "kueue-system" not in _namespaces(plain) or None)
    brought = {name for addon in NAMES for name in catalog()[addon].crds}
    assert brought <= definitions(plain), "deleting a definition would delete every object of its kind"
    addons.up()
    addons.preview(expect_no_changes=True)


def client_of(plain: Plain) -> client.ApiClient:
    return config.new_client_from_config(str(plain.world.kubeconfig))


def core_of(plain: Plain) -> Any:
    return client.CoreV1Api(client_of(plain))


def definitions(plain: Plain) -> set[str]:
    api: Any = client.ApiextensionsV1Api(client_of(plain))
    return {item.metadata.name for item in api.list_custom_resource_definition().items}


def _namespaces(plain: Plain) -> set[str]:
    return {item.metadata.name for item in core_of(plain).list_namespace().items}


@cache
def _folder() -> str:
    folder = str(ensure_charts())
    assert not list(problems([catalog()[name] for name in NAMES], folder, "charts"))
    return folder


def _program() -> None:
    Addons(_folder())


def _nodes(base: Base) -> None:
    aws.eks.NodeGroup(
        "system",
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        instance_types=["m7i.large"],
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=2, desired_size=2, max_size=2),
        taints=[aws.eks.NodeGroupTaintArgs(key="CriticalAddonsOnly", value="true", effect="NO_SCHEDULE")],
    )

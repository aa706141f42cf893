"""Definitions of add-ons outlive them: the component Addons with upstream's charts on the real API server.

That all add-ons run is proven with a whole environment (test_aws_dev.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from kubernetes import client, config
from pulumi import automation

from aiplatform.addons import Addons
from aiplatform.addons.catalog import catalog
from tests.addon_options import only
from tests.end_to_end.plain import Base, Plain
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

pytestmark = pytest.mark.end_to_end

NAMES = ("cert-manager", "jobset")
"""The smallest with definitions as templates, and in a folder of the chart."""


@pytest.fixture(scope="module")
def nodes(plain: Plain, base: Base) -> Iterator[automation.Stack]:
    """Two system nodes."""
    stack = plain.stack("addons-nodes", lambda: _nodes(base))
    stack.up()
    yield stack
    stack.destroy()


@pytest.fixture(scope="module")
def addons(plain: Plain, base: Base, nodes: automation.Stack) -> Iterator[automation.Stack]:
    stack = plain.stack("addons", lambda: _program(base))
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(plain.instance.kubeconfig)))
    stack.set_config("aws:region", automation.ConfigValue(plain.instance.region))
    yield stack
    stack.destroy()


def test_definitions_outlive_their_addon_and_are_taken_over_again(
    plain: Plain, addons: automation.Stack
) -> None:
    brought = {name for addon in NAMES for name in catalog()[addon].crds}
    ready = addons.up().outputs["ready"].value
    assert ready == {name: catalog()[name].version for name in NAMES}
    assert brought <= definitions(plain)
    addons.destroy()
    eventually("deleted namespaces", lambda: "jobset-system" not in _namespaces(plain) or None)
    assert brought <= definitions(plain), "deleting a definition would delete every object of its kind"
    addons.up()


def client_of(plain: Plain) -> client.ApiClient:
    return config.new_client_from_config(str(plain.instance.kubeconfig))


def core_of(plain: Plain) -> Any:
    return client.CoreV1Api(client_of(plain))


def definitions(plain: Plain) -> set[str]:
    api: Any = client.ApiextensionsV1Api(client_of(plain))
    return {item.metadata.name for item in api.list_custom_resource_definition().items}


def _namespaces(plain: Plain) -> set[str]:
    return {item.metadata.name for item in core_of(plain).list_namespace().items}


def _program(base: Base) -> None:
    addons = Addons(
        "addons",
        {
            "prefix": "acme-dev",
            "cluster": {"name": base.cluster, "security_group_id": "sg-1", "vpc_id": base.vpc_id},
            "charts": str(ensure_charts()),
            "options": only(NAMES),
        },
    )
    pulumi.export("ready", addons.ready)


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

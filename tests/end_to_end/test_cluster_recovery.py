"""Drill of docs/operations/disaster-recovery.md#cluster: a cluster is lost; the program creates it again with
its queues, and files of a team the services of its models. Data outside of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation
from pulumi_kubernetes.apiextensions.v1 import CustomResourceDefinition
from pulumi_kubernetes.core.v1 import Namespace

from aiplatform.queues import Queues
from tests.controllers.queue_objects import arguments, manifests, team
from tests.end_to_end.guardrails import definition
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.test_provider_engine import changes
from tests.end_to_end.test_served_models import service
from twin.tests.waiting import eventually

# Two control planes, one after the other.
pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]

TEAM = "search"
QUEUES: Any = arguments(team(TEAM))
SERVICES = ("serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices")

NAMESPACED = ("LocalQueue", "InferenceService")


def kinds() -> set[tuple[str, str, str, str]]:
    """Return group, version, kind and plural of what is in the cluster."""
    plurals = {"WorkloadPriorityClass": "workloadpriorityclasses"}
    custom: set[tuple[str, str, str, str]] = {SERVICES}
    for item in manifests(QUEUES):
        group, _, version = str(item["apiVersion"]).partition("/")
        kind = str(item["kind"])
        custom.add((group, version, kind, plurals.get(kind, f"{kind.lower()}s")))
    return custom


def platform() -> None:
    """Queues of a team, and a bucket of releases."""
    bucket = aws.s3.Bucket("releases")
    aws.s3.BucketObjectv2("release", bucket=bucket.id, key=f"{TEAM}/ranking/7/model", content="weights")
    definitions: list[pulumi.Resource] = []
    for group, version, kind, plural in sorted(kinds()):
        body = definition(group, version, kind, plural)
        body["spec"]["scope"] = "Namespaced" if kind in NAMESPACED else "Cluster"
        definitions.append(CustomResourceDefinition(plural, **body))
    namespace = Namespace(TEAM, metadata={"name": TEAM})
    Queues("queues", QUEUES, pulumi.ResourceOptions(depends_on=[*definitions, namespace]))
    pulumi.export("bucket", bucket.id)


@pytest.fixture(scope="module")
def twin(home: Path) -> Iterator[Plain]:
    """A separate twin, whose cluster is lost."""
    twin = Plain(home, "lost")
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def base(twin: Plain) -> Base:
    """The layer of network and cluster."""
    return twin.base()


@pytest.fixture(scope="module")
def queues(twin: Plain, base: Base) -> Iterator[automation.Stack]:
    """The layer of what runs in the cluster."""
    stack = twin.stack("queues", platform)
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(twin.instance.kubeconfig)))
    stack.set_config("aws:region", automation.ConfigValue(twin.instance.region))
    stack.up()
    yield stack
    stack.destroy()
    twin.end()


def objects(twin: Plain) -> dict[str, Any]:
    """Return the specifications of the platform's objects in the cluster, and of the team's services."""
    api: Any = kubernetes.client.CustomObjectsApi(twin.kubernetes())
    return {
        f"{kind} {item['metadata']['name']}": item.get("spec")
        for group, version, kind, plural in kinds()
        for item in api.list_cluster_custom_object(group, version, plural)["items"]
    }


def serve(twin: Plain) -> None:
    """Create a service from the team's file."""
    api: Any = kubernetes.client.CustomObjectsApi(twin.kubernetes())
    group, version, _, plural = SERVICES
    api.create_namespaced_custom_object(group, version, TEAM, plural, service())


def lose(twin: Plain, base: Base) -> None:
    """Delete the cluster outside of the program."""
    eks = twin.aws("eks")
    eks.delete_cluster(name=base.cluster)
    eventually("the cluster is deleted", lambda: base.cluster not in eks.list_clusters()["clusters"], 120)


def test_lost_cluster_is_created_again_with_its_queues_and_services(
    twin: Plain, base: Base, queues: automation.Stack
) -> None:
    serve(twin)
    before, bucket = objects(twin), queues.outputs()["bucket"].value
    assert any(name.startswith("ClusterQueue ") for name in before)
    assert any(name.startswith("InferenceService ") for name in before)

    lose(twin, base)
    cluster = twin.deployed("base")
    cluster.refresh()
    assert changes(cluster.preview())["create"] == 1, "the cluster alone: no network, no role"
    # What step 2 sets, so that objects of a cluster that does not answer count as deleted.
    queues.workspace.env_vars = {**queues.workspace.env_vars, "PULUMI_K8S_DELETE_UNREACHABLE": "true"}
    queues.refresh()
    cluster.up()
    queues.up()

    after = objects(twin)
    lost = {name for name in before if name not in after}
    assert lost == {name for name in before if name.startswith("InferenceService ")}, (
        "no file of ours states it"
    )
    serve(twin)
    assert objects(twin) == before
    assert queues.outputs()["bucket"].value == bucket
    content = twin.aws("s3").get_object(Bucket=bucket, Key=f"{TEAM}/ranking/7/model")["Body"].read()
    assert content == b"weights", "the release that the service reads"
    queues.preview(expect_no_changes=True)

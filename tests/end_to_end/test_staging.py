"""aws-staging and gcp-staging: from nothing to nothing, and in between nothing to change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import GUARDED, Twin, eventually

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module", params=["aws-staging", "gcp-staging"])
def staging(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """An environment, up."""
    twin = Twin(request.param, home)
    twin.up(*GUARDED)
    yield twin
    twin.remove()


def test_staging_stands_as_its_file_says_and_drifts_not(staging: Twin) -> None:
    if staging.world.cloud == "aws":
        cluster = staging.aws("eks").describe_cluster(name="acme-staging-cluster")["cluster"]
        assert "0.0.0.0/0" not in cluster["resourcesVpcConfig"].get("publicAccessCidrs", []), "not the world"
    nodes = staging.core().list_node().items
    assert nodes, "the system's nodes"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"
    _scale(staging, 3)
    staging.cli("preview", staging.environment, "--refresh", "--expect-no-changes")


def _scale(staging: Twin, replicas: int) -> None:
    """What the feature server's autoscaler does under load; it is no drift."""
    name, namespace = "feature-server", "feature-store"
    before = staging.apps().read_namespaced_deployment(name, namespace).status
    assert before.ready_replicas == 2, "`up` ends when the least of its Pods are ready"
    staging.apps().patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": replicas}})
    eventually(
        f"{replicas} feature servers are ready",
        lambda: staging.apps().read_namespaced_deployment(name, namespace).status.ready_replicas == replicas,
    )


def test_staging_goes_without_a_rest(staging: Twin) -> None:
    staging.cli("destroy", staging.environment)
    assert staging.inventory() == {}, "what the cloud's front holds counts too"

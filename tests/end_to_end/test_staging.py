"""aws-staging and gcp-staging: deployed, previewed without changes, and destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import GUARDED, Twin, eventually
from tests.end_to_end.policy_report import assert_no_violation
from tests.end_to_end.reduced import KUBERNETES_LAYER

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module", params=["aws-staging", "gcp-staging"])
def empty(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of an environment, before its first `up`."""
    twin = Twin(request.param, home, without=KUBERNETES_LAYER, checkpoints=False)
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def staging(empty: Twin) -> Twin:
    """The twin of an environment, deployed."""
    empty.up(*GUARDED)
    return empty


def test_environment_has_no_violation_before_it_exists(empty: Twin, tmp_path: Path) -> None:
    assert_no_violation(empty, tmp_path)


def test_staging_is_deployed_and_has_no_drift(staging: Twin) -> None:
    if staging.world.cloud == "aws":
        cluster = staging.aws("eks").describe_cluster(name="acme-staging-cluster")["cluster"]
        assert "0.0.0.0/0" not in cluster["resourcesVpcConfig"].get("publicAccessCidrs", []), (
            "not the whole internet"
        )
    nodes = staging.core().list_node().items
    assert nodes, "the system's nodes"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"
    _scale(staging, 3)
    staging.cli("preview", staging.environment, "--refresh", "--expect-no-changes")


def _scale(staging: Twin, replicas: int) -> None:
    """Change the replicas, as the feature server's autoscaler does under load; this is not drift."""
    name, namespace = "feature-server", "feature-store"
    before = staging.apps().read_namespaced_deployment(name, namespace).status
    assert before.ready_replicas == 2, "`up` ends when the minimum of its Pods is ready"
    staging.apps().patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": replicas}})
    eventually(
        f"{replicas} feature servers are ready",
        lambda: staging.apps().read_namespaced_deployment(name, namespace).status.ready_replicas == replicas,
    )


def test_destroy_leaves_nothing(staging: Twin) -> None:
    staging.cli("destroy", staging.environment)
    assert staging.inventory() == {}, "resources outside the state count, too"

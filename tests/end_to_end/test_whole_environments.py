"""Environments that other tests deploy in part or not at all, here with all of their layers.

They are deployed and previewed without changes, and staging is destroyed. Every run has aws-dev and gcp-prod
with all layers (test_aws_dev.py, test_gcp_prod.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import GUARDED, Twin
from tests.end_to_end.policy_report import assert_no_violation
from twin.tests.waiting import eventually

pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]


@pytest.fixture(scope="module", params=["aws-staging", "gcp-staging", "aws-prod"])
def empty(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of an environment, before its first `up`."""
    twin = Twin(request.param, home, checkpoints=False)
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def deployed(empty: Twin) -> Twin:
    """The twin of an environment, deployed. The first `up` of aws-prod runs outside the network."""
    if empty.environment == "aws-prod":
        empty.cli("twin", "start", "--name", empty.environment)
        empty.changed("up", "--yes", "--skip-preview", change={"environment/bootstrap": True})
    empty.up(*GUARDED)
    return empty


def test_environment_has_no_violation_before_it_exists(empty: Twin, tmp_path: Path) -> None:
    assert_no_violation(empty, tmp_path)


def test_environment_is_deployed_and_has_no_drift(deployed: Twin) -> None:
    if deployed.instance.cloud == "aws":
        name = deployed.environment.replace("aws", "acme")
        cluster = deployed.aws("eks").describe_cluster(name=f"{name}-cluster")["cluster"]
        assert "0.0.0.0/0" not in cluster["resourcesVpcConfig"].get("publicAccessCidrs", []), (
            "not the whole internet"
        )
    nodes = deployed.core().list_node().items
    assert nodes, "the system's nodes"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"
    if "staging" in deployed.environment:
        _scale(deployed, 3)
    deployed.cli("preview", deployed.environment, "--refresh", "--expect-no-changes")


def _scale(deployed: Twin, replicas: int) -> None:
    """Change the replicas, as the feature server's autoscaler does under load; this is not drift."""
    name, namespace = "feature-server", "feature-store"
    before = deployed.apps().read_namespaced_deployment(name, namespace).status
    assert before.ready_replicas == 2, "`up` ends when the minimum of its Pods is ready"
    deployed.apps().patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": replicas}})
    eventually(
        f"{replicas} feature servers are ready",
        lambda: deployed.apps().read_namespaced_deployment(name, namespace).status.ready_replicas == replicas,
    )


def test_destroy_leaves_nothing(deployed: Twin) -> None:
    if deployed.environment == "aws-prod":
        pytest.skip("it is protected: test_aws_prod.py retires it in steps")
    deployed.cli("destroy", deployed.environment)
    assert deployed.inventory() == {}, "resources outside the state count, too"

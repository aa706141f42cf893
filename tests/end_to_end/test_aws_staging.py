"""aws-staging: from nothing to nothing, and in between nothing to change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import Twin

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def staging(home: Path) -> Iterator[Twin]:
    """aws-staging, up."""
    twin = Twin("aws-staging", home)
    twin.up()
    yield twin
    twin.remove()


def test_staging_stands_as_its_file_says_and_drifts_not(staging: Twin) -> None:
    cluster = staging.aws("eks").describe_cluster(name="acme-staging-cluster")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert "0.0.0.0/0" not in cluster["resourcesVpcConfig"].get("publicAccessCidrs", []), "never the world"
    nodes = staging.core().list_node().items
    assert nodes, "the system's nodes"
    for node in nodes:
        ready = {condition.type: condition.status for condition in node.status.conditions}
        assert ready["Ready"] == "True", f"{node.metadata.name} is not Ready"
    staging.cli("preview", staging.environment, "--refresh", "--expect-no-changes")


def test_staging_goes_without_a_rest(staging: Twin) -> None:
    staging.cli("destroy", staging.environment)
    assert staging.inventory() == {}, "what moto holds counts too"

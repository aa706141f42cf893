"""aws-staging and gcp-staging: from nothing to nothing, and in between nothing to change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import Twin

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module", params=["aws-staging", "gcp-staging"])
def staging(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """An environment, up."""
    twin = Twin(request.param, home)
    twin.up()
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
    staging.cli("preview", staging.environment, "--refresh", "--expect-no-changes")


def test_staging_goes_without_a_rest(staging: Twin) -> None:
    staging.cli("destroy", staging.environment)
    assert staging.inventory() == {}, "what the cloud's front holds counts too"

"""aws-prod: it stands, it cannot be destroyed by accident, and it is retired in two steps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.harness import Twin

pytestmark = pytest.mark.end_to_end

CLUSTER = "acme-prod-cluster"


@pytest.fixture(scope="module")
def up(prod: Twin) -> Twin:
    """aws-prod, up."""
    prod.up()
    return prod


def _cluster(up: Twin) -> dict[str, Any]:
    return up.aws("eks").describe_cluster(name=CLUSTER)["cluster"]


def test_prod_is_private_protected_and_stands_in_three_zones(up: Twin) -> None:
    cluster = _cluster(up)
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"], "the API is in the network alone"
    assert cluster["deletionProtection"], "AWS itself refuses to delete it"
    assert cluster["upgradePolicy"]["supportType"] == "STANDARD", "no surprise on the bill"
    ec2 = up.aws("ec2")
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    assert len({each["SubnetId"] for each in gateways if each["State"] == "available"}) == 3, "one NAT a zone"
    endpoints = {
        each["ServiceName"].rsplit(".", 1)[1] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]
    }
    assert {"s3", "dynamodb", "sts", "logs", "eks", "eks-auth"} <= endpoints, "it lives without the internet"
    nodes = up.core().list_node().items
    zones = {node.metadata.labels["topology.kubernetes.io/zone"] for node in nodes}
    assert len(zones) == 3, "a zone may fall"
    serving = [node for node in nodes if node.metadata.labels.get("ai-platform/pool") == "serving"]
    assert len(serving) == 1, "a serving pool of min 1 has a node at once"


def test_destroy_is_refused_while_it_is_protected(up: Twin) -> None:
    before = up.inventory()
    refused = up.cli("destroy", up.environment, check=False)
    assert refused.returncode != 0, "a protected environment does not go"
    assert "teardown: true" in refused.stdout + refused.stderr, "the message says how it would"
    engine = up.pulumi("destroy", "--yes", "--stack", up.environment, check=False)
    assert engine.returncode != 0, "the engine refuses too, in the preview that it makes first"
    assert _cluster(up)["status"] == "ACTIVE"
    assert up.inventory() == before, "nothing was touched"


def test_teardown_in_two_steps_leaves_nothing(up: Twin) -> None:
    # Without with_data the logs and their keys would stay, which tests/stacks holds.
    up.changed("up", "--yes", "--skip-preview", change={"environment/teardown": "with_data"})
    assert not _cluster(up)["deletionProtection"], "the first step lifts protection, and no more"
    up.cli("destroy", up.environment)
    assert up.inventory() == {}, "the second leaves nothing"

"""What the dev environments cost in a month without any use, by list prices.

Prices are dollars an hour of us-east-1 and us-central1 (a month has 730 hours), of a month, or of a GB in a
month. Sources: machine types, the price lists in the sources of karpenter-provider-aws and
karpenter-provider-gcp; the rest, the price tables in the tests of infracost. What is paid by use is left out.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.stacks.environments import built

HOURS: Final = 730
MOST: Final = 250.0
"""Dollars a month."""

MACHINES: Final = {
    "t4g.medium": 0.0336,
    "m7i.large": 0.1008,
    "e2-standard-2": 0.0670,
    "e2-standard-4": 0.1340,
}
SPOT: Final = 0.5
"""An assumption: a spot instance's price of the one on demand. It varies by zone and hour."""
DATABASES: Final = {"db.t4g.small": 23.36, "db-g1-small": 25.55}
BOOT_DISK: Final = {"aws": 0.08, "gcp": 0.10}
DATABASE_DISK: Final = {"aws": 0.115, "gcp": 0.17}
SMALL: Final = {
    "aws:eks/cluster:Cluster": 73.0,
    "aws:ec2/natGateway:NatGateway": 32.85,
    "aws:ec2/eip:Eip": 3.65,
    "aws:kms/key:Key": 1.0,
    "aws:secretsmanager/secret:Secret": 0.4,
    # Nothing for the first zonal control plane of a billing account, and Cloud NAT is paid by node.
    "gcp:kms/cryptoKey:CryptoKey": 0.06,
    "gcp:secretmanager/secret:Secret": 0.06,
}
NAT_OF_A_NODE: Final = {"aws": 0.0, "gcp": 0.0014 * HOURS}


def _nodes(stack: str) -> list[tuple[str, str, float]]:
    """Return machine type, capacity and GiB of the boot disk of each node that runs while idle: the system
    nodes, and one of the first pool, for the Pods of the registries."""
    settings = built(stack).settings
    system = settings.cluster.system_nodes
    (pool,) = settings.node_pools.values()
    assert not pool.min, "a pool with a minimum has that many nodes while idle, not one"
    nodes = [(system.instance_types[0], "on_demand", float(system.disk_gib))] * system.min
    return [*nodes, (pool.instance_types[0], pool.capacity[0], float(pool.disk_gib))]


def idle_cost(stack: str) -> dict[str, float]:
    """Return what each part of an environment costs a month, in dollars."""
    environment = built(stack)
    cloud = environment.settings.environment.cloud
    recorded = environment.recording.resources
    parts = {
        kind: price * count
        for kind, price in SMALL.items()
        if (count := sum(resource.type == kind for resource in recorded))
    }
    for machine, capacity, disk in _nodes(stack):
        part = f"{capacity} {machine}"
        price = MACHINES[machine] * HOURS * (SPOT if capacity == "spot" else 1)
        parts[part] = parts.get(part, 0) + price + disk * BOOT_DISK[cloud] + NAT_OF_A_NODE[cloud]
    for resource in recorded:
        inputs = resource.inputs
        if resource.type == "aws:rds/instance:Instance":
            size, disk = inputs["instanceClass"], inputs["allocatedStorage"]
        elif resource.type == "gcp:sql/databaseInstance:DatabaseInstance":
            size, disk = inputs["settings"]["tier"], inputs["settings"]["diskSize"]
        else:
            continue
        parts[size] = DATABASES[size] + disk * DATABASE_DISK[cloud]
    return parts


@pytest.mark.parametrize("stack", ["aws-dev", "gcp-dev"])
def test_dev_costs_little_while_it_is_idle(stack: str) -> None:
    parts = idle_cost(stack)
    total = sum(parts.values())

    table = "\n".join(f"{cost:8.2f}  {part}" for part, cost in parts.items())
    assert total <= MOST, f"{total:.2f} dollars a month:\n{table}"
    assert total > 100, f"something that costs is missing:\n{table}"


@pytest.mark.parametrize("stack", ["aws-dev", "gcp-dev"])
def test_dev_has_nothing_that_is_paid_by_the_hour_beyond_what_is_priced(stack: str) -> None:
    hourly = (
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:elasticache/serverlessCache:ServerlessCache",
        "aws:rds/proxy:Proxy",
        "gcp:bigtable/instance:Instance",
        "gcp:compute/forwardingRule:ForwardingRule",
        "gcp:redis/instance:Instance",
    )
    unpriced = [
        resource.urn
        for resource in built(stack).recording.resources
        if resource.type in hourly and resource.inputs.get("vpcEndpointType") != "Gateway"
    ]
    assert unpriced == [], "a price is missing in this file"

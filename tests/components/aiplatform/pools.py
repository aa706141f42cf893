"""What the tests of pools share: a network, a cluster, and EC2's offerings."""

from collections.abc import Callable, Mapping
from typing import Any

ZONES = ("euc1-az2", "euc1-az3", "euc1-az1")
NETWORK: dict[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.0.0.0/16",
    "private_subnet_ids": [f"subnet-{zone}" for zone in ZONES],
    "zones": [
        {"name": f"eu-central-1{letter}", "id": zone, "private_subnet_id": f"subnet-{zone}"}
        for letter, zone in zip("abc", ZONES, strict=True)
    ],
}
CLUSTER: dict[str, Any] = {
    "name": "acme-dev-cluster",
    "version": "1.36",
    "security_group_id": "sg-0c1u5te2",
    "endpoint": "https://example.com",
    "certificate_authority": "LS0t",
    "service_cidr": "172.20.0.0/16",
}

Answers = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]


def offering(**zones_of: tuple[str, ...]) -> Answers:
    """EC2 offers these types in these zones, and no others; `__` in a name stands for a dot."""
    offered = {name.replace("__", ".").replace("_", "-"): zones for name, zones in zones_of.items()}

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        assert arguments["locationType"] == "availability-zone-id", "zones are named by id"
        asked = arguments["filters"][0]["values"]
        pairs = [(name, zone) for name in asked for zone in offered.get(name, ())]
        return {
            "id": "eu-central-1",
            "instanceTypes": [name for name, _ in pairs],
            "locations": [zone for _, zone in pairs],
            "locationTypes": [],
        }

    return {"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": answer}

"""What the tests of pools share: a network, a cluster, and the clouds' offerings."""

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
        requests = arguments["filters"][0]["values"]
        pairs = [(name, zone) for name in requests for zone in offered.get(name, ())]
        return {
            "id": "eu-central-1",
            "instanceTypes": [name for name, _ in pairs],
            "locations": [zone for _, zone in pairs],
            "locationTypes": [],
        }

    return {"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": answer}


GOOGLE_ZONES = ("europe-west4-a", "europe-west4-b", "europe-west4-c")
GOOGLE_NETWORK: dict[str, Any] = {
    "cloud": "gcp",
    "project": "acme-dev-1234",
    "region": "europe-west4",
    "vpc_id": "projects/acme-dev-1234/global/networks/acme-dev-network",
    "cidr": "10.0.0.0/16",
    "private_subnet_ids": ["projects/acme-dev-1234/regions/europe-west4/subnetworks/acme-dev-nodes"],
    "zones": [
        {"name": zone, "id": zone, "private_subnet_id": "projects/acme-dev-1234/regions/europe-west4/nodes"}
        for zone in GOOGLE_ZONES
    ],
}
GOOGLE_CLUSTER: dict[str, Any] = {
    "cloud": "gcp",
    "project": "acme-dev-1234",
    "region": "europe-west4",
    "location": "europe-west4",
    "name": "acme-dev-cluster",
    "node_service_account": "acme-dev-nodes@acme-dev-1234.iam.gserviceaccount.com",
    "disk_kms_key": "projects/acme-dev-1234/locations/europe-west4/keyRings/acme-dev/cryptoKeys/disks",
    "multi_networking": True,
}

US_EAST5_ZONES = ("us-east5-c", "us-east5-a", "us-east5-b")
US_EAST5: dict[str, Any] = {
    "cluster": {**GOOGLE_CLUSTER, "region": "us-east5", "location": "us-east5"},
    "network": {
        **GOOGLE_NETWORK,
        "region": "us-east5",
        "zones": [{"name": zone, "id": zone, "private_subnet_id": "nodes"} for zone in US_EAST5_ZONES],
    },
}
"""Where TPUs are sold by flex-start, but for the first zone."""


def machine_types(**zones_of: tuple[str, ...]) -> Answers:
    """Compute Engine offers these machine types in these zones (`_` in a name stands for a hyphen), and every
    other one everywhere."""
    limited = {name.replace("_", "-"): zones for name, zones in zones_of.items()}

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        zone = str(arguments["zone"])
        requests = arguments["filter"].removeprefix('name eq "').removesuffix('"').split("|")
        offered = [name for name in requests if zone in limited.get(name, GOOGLE_ZONES)]
        return {
            "id": f"projects/{arguments['project']}/zones/{zone}/machineTypes",
            "filter": arguments["filter"],
            "project": arguments["project"],
            "zone": zone,
            "machineTypes": [{"name": name} for name in offered],
        }

    return {"gcp:compute/getMachineTypes:getMachineTypes": answer}

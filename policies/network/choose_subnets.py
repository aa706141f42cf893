"""Networks are planned, and not those that come by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No default and no automatic networks",
    severity="medium",
    description="Google Cloud's `default` network has firewall rules that let SSH and RDP in, and one in "
    "automatic mode has a subnet with known addresses in every region of the world. AWS's "
    "default VPC has public subnets alone.",
    remediation="Make a network with autoCreateSubnetworks false and subnetworks of your own, or a VPC, "
    "and name it.",
    frameworks=("CIS GCP 3.1", "NIST 800-53 SC-7", "NIST 800-53 CM-6"),
)

_USERS: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
_DEFAULT: Final = ("default", "global/networks/default")


@POLICY.on("gcp:compute/network:Network")
def on_networks(resource: Resource) -> Iterator[Judgement]:
    """Networks in automatic mode, which is what a network is where nothing is said."""
    automatic = resource.get("autoCreateSubnetworks")
    if automatic is UNKNOWN:
        yield Undecided("autoCreateSubnetworks")
    elif automatic is not False:
        said = "is missing" if automatic is None else "is true"
        yield Finding("autoCreateSubnetworks", f"{said}, so that every region of the world gets a subnet")


def _is_default(name: object) -> bool:
    return isinstance(name, str) and (name in _DEFAULT or name.endswith("/global/networks/default"))


@POLICY.on(*_USERS)
def on_machines(resource: Resource) -> Iterator[Judgement]:
    """Machines in the default network."""
    for path, interface in resource.items("networkInterfaces"):
        for key in ("network", "subnetwork"):
            if _is_default(interface.get(key)):
                yield Finding(f"{path}.{key}", f"is {interface.get(key)!r}, the default network")


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Judgement]:
    """Clusters in the default network, where they are when nothing is said."""
    network, subnetwork = resource.get("network"), resource.get("subnetwork")
    if network is UNKNOWN:
        yield Undecided("network")
    elif _is_default(network) or (network is None and subnetwork is None):
        said = "is missing" if network is None else f"is {network!r}"
        yield Finding("network", f"{said}, so that the cluster is in the default network")


@POLICY.on("aws:ec2/defaultVpc:DefaultVpc", "aws:ec2/defaultSubnet:DefaultSubnet")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Programs that take the default VPC over to use it."""
    what = "VPC" if resource.type.endswith(":DefaultVpc") else "subnet"
    yield Finding("", f"uses the default {what}: its subnets are all public")

"""Networks and subnets are declared, not the clouds' defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="No default and no automatic networks",
    severity="medium",
    description="Google Cloud's `default` network has firewall rules that allow SSH and RDP, and a network "
    "in automatic mode has a subnet with well-known addresses in every region. AWS's default VPC has only "
    "public subnets.",
    remediation="Declare a network with autoCreateSubnetworks false and its subnetworks, or a VPC, and use "
    "it.",
    frameworks=("CIS GCP 3.1", "NIST 800-53 SC-7", "NIST 800-53 CM-6"),
)

_MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
_DEFAULT: Final = ("default", "global/networks/default")


@POLICY.on("gcp:compute/network:Network")
def on_networks(resource: Resource) -> Iterator[Outcome]:
    """Networks in automatic mode, which is the default."""
    automatic = resource.known("autoCreateSubnetworks")
    if automatic is not False:
        yield Violation("autoCreateSubnetworks", f"{describe(automatic)}, so that every region gets a subnet")


def _is_default(name: object) -> bool:
    return isinstance(name, str) and (name in _DEFAULT or name.endswith("/global/networks/default"))


@POLICY.on(*_MACHINES)
def on_machines(resource: Resource) -> Iterator[Outcome]:
    """Machines in the default network."""
    yield from check_each(resource.entries("networkInterfaces"), _check_interface)


def _check_interface(interface: Entry) -> Iterator[Outcome]:
    keys = ("network", "subnetwork")
    default = [key for key in keys if _is_default(interface.raw(key))]
    for key in default:
        yield Violation(interface.where(key), f"is {interface.raw(key)!r}, the default network")
    if not default:
        for key in keys:
            interface.known(key)


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """Clusters in the default network, which a cluster without a network uses."""
    network = resource.known("network")
    if _is_default(network) or (network is None and resource.known("subnetwork") is None):
        yield Violation("network", f"{describe(network)}, so that the cluster is in the default network")


@POLICY.on("aws:ec2/defaultVpc:DefaultVpc", "aws:ec2/defaultSubnet:DefaultSubnet")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Programs that adopt the default VPC."""
    what = "VPC" if resource.type.endswith(":DefaultVpc") else "subnet"
    yield Violation("", f"uses the default {what}: all its subnets are public")

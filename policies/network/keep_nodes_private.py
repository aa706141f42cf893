"""Machines have no address on the internet."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No machine with a public address",
    severity="high",
    description="Machines reach the internet through NAT, and are reached through load balancers. One "
    "with an address of its own is a firewall rule away from everybody. GKE gives its nodes "
    "public addresses where nothing else is said.",
    remediation="Put machines into private subnets without associatePublicIpAddress or "
    "mapPublicIpOnLaunch; on Google Cloud set enablePrivateNodes, and leave accessConfigs "
    "out.",
    frameworks=("CIS GCP 4.9", "CIS GKE 5.6.5", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)


def _is_true(resource: Resource, path: str, problem: str) -> Iterator[Judgement]:
    value = resource.get(path)
    if value is UNKNOWN:
        yield Undecided(path)
    elif value is True or value == "true":
        yield Finding(path, problem)


@POLICY.on("aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet")
def on_subnets(resource: Resource) -> Iterator[Judgement]:
    """Subnets that give every machine an address."""
    yield from _is_true(
        resource, "mapPublicIpOnLaunch", "gives every machine of the subnet an address on the internet"
    )


@POLICY.on("aws:ec2/instance:Instance", "aws:ec2/launchConfiguration:LaunchConfiguration")
def on_instances(resource: Resource) -> Iterator[Judgement]:
    """Machines that ask for an address."""
    yield from _is_true(resource, "associatePublicIpAddress", "gives the machine an address on the internet")


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate")
def on_templates(resource: Resource) -> Iterator[Judgement]:
    """Templates whose machines ask for one."""
    for path, _ in resource.items("networkInterfaces"):
        yield from _is_true(
            resource, f"{path}.associatePublicIpAddress", "gives machines an address on the internet"
        )


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Machines with an access configuration: it is what gives an address, also when it is empty."""
    if resource.get("networkInterfaces") is UNKNOWN:
        yield Undecided("networkInterfaces")
    for path, interface in resource.items("networkInterfaces"):
        configs = interface.get("accessConfigs")
        if configs is UNKNOWN:
            yield Undecided(f"{path}.accessConfigs")
        elif configs:
            yield Finding(f"{path}.accessConfigs", "gives the machine an address on the internet")


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Judgement]:
    """Clusters whose nodes have addresses unless their pool says otherwise."""
    path = "privateClusterConfig.enablePrivateNodes"
    private = resource.get(path)
    if private is UNKNOWN:
        yield Undecided(path)
    elif private is not True:
        said = "is missing" if private is None else "is false"
        yield Finding(path, f"{said}, and with that nodes have addresses on the internet")


@POLICY.on("gcp:container/nodePool:NodePool")
def on_pools(resource: Resource) -> Iterator[Judgement]:
    """Pools that ask for addresses, whatever their cluster says."""
    path = "networkConfig.enablePrivateNodes"
    private = resource.get(path)
    if private is UNKNOWN:
        yield Undecided(path)
    elif private is False:
        yield Finding(path, "gives the pool's nodes addresses on the internet")

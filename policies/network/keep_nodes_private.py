"""Machines have no public address."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Properties, Resource, Violation, check_each, describe

POLICY = Policy(
    title="No machine with a public address",
    severity="high",
    description="Machines connect to the internet through NAT, and serve it through load balancers. A "
    "machine with a public address is exposed by a single wrong firewall rule. GKE assigns public addresses "
    "to its nodes by default.",
    remediation="Use private subnets without associatePublicIpAddress (in Karpenter "
    "associatePublicIPAddress) or mapPublicIpOnLaunch; on Google Cloud set enablePrivateNodes and no "
    "accessConfigs.",
    frameworks=("CIS GCP 4.9", "CIS GKE 5.6.5", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)


def _check_address(properties: Properties, key: str, machines: str) -> Iterator[Outcome]:
    if properties.known(key) in (True, "true"):
        yield Violation(properties.where(key), f"assigns a public address to {machines}")


@POLICY.on("aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet")
def on_subnets(resource: Resource) -> Iterator[Outcome]:
    """Subnets that assign public addresses."""
    yield from _check_address(resource, "mapPublicIpOnLaunch", "every machine of the subnet")


@POLICY.on("aws:ec2/instance:Instance", "aws:ec2/launchConfiguration:LaunchConfiguration")
def on_instances(resource: Resource) -> Iterator[Outcome]:
    """Machines that request a public address."""
    yield from _check_address(resource, "associatePublicIpAddress", "the machine")


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate")
def on_templates(resource: Resource) -> Iterator[Outcome]:
    """Templates whose machines request a public address."""
    interfaces = resource.entries("networkInterfaces")
    yield from check_each(interfaces, _check_address, "associatePublicIpAddress", "machines")


@POLICY.on("kubernetes:karpenter.k8s.aws/")
def on_karpenter(resource: Resource) -> Iterator[Outcome]:
    """Nodes of Karpenter that request a public address."""
    yield from _check_address(resource, "spec.associatePublicIPAddress", "every node of the class")


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Machines with an access configuration, which assigns an address even if it is empty."""
    yield from check_each(resource.entries("networkInterfaces"), _check_interface)


def _check_interface(interface: Entry) -> Iterator[Outcome]:
    if interface.known("accessConfigs"):
        yield Violation(interface.where("accessConfigs"), "assigns a public address to the machine")


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """Clusters whose nodes have public addresses unless their pool sets otherwise."""
    path = "privateClusterConfig.enablePrivateNodes"
    private = resource.known(path)
    if private is not True:
        yield Violation(path, f"{describe(private)}, which assigns public addresses to nodes")


@POLICY.on("gcp:container/nodePool:NodePool")
def on_pools(resource: Resource) -> Iterator[Outcome]:
    """Pools that request public addresses, whatever their cluster sets."""
    path = "networkConfig.enablePrivateNodes"
    if resource.known(path) is False:
        yield Violation(path, "assigns public addresses to the nodes of the pool")

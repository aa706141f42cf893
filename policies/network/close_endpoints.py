"""The Kubernetes API is not open to the world."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each
from ..pack.openings import is_anywhere

POLICY = Policy(
    title="No cluster endpoint open to the world",
    severity="critical",
    description="Who reaches a cluster's API from anywhere tries stolen tokens and tomorrow's "
    "vulnerabilities on it. EKS and GKE open it to the whole internet where nothing else is "
    "said.",
    remediation="Turn the public endpoint off, or name the networks that may reach it: publicAccessCidrs "
    "on EKS, masterAuthorizedNetworksConfig on GKE.",
    frameworks=("CIS EKS 5.4.1", "CIS EKS 5.4.2", "CIS GKE 5.6.3", "CIS GKE 5.6.4", "NIST 800-53 SC-7"),
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """A public endpoint without networks, or with the network of everybody."""
    config = resource.get("vpcConfig")
    public = resource.get("vpcConfig.endpointPublicAccess")
    if config is UNKNOWN or public is UNKNOWN:
        yield Undecided("vpcConfig.endpointPublicAccess")
    elif public is not False:
        path = "vpcConfig.publicAccessCidrs"
        networks = resource.get(path)
        if networks in (None, []) if networks is not UNKNOWN else False:
            yield Finding(path, "says no networks, so that EKS opens the endpoint to '0.0.0.0/0'")
        yield from _open(networks, path)


def _open(networks: object, path: str) -> Iterator[Judgement]:
    if networks is UNKNOWN:
        yield Undecided(path)
    for where, network in each(networks, path):
        if network is UNKNOWN:
            yield Undecided(where)
        elif is_anywhere(network):
            yield Finding(where, f"opens the endpoint to {network!r}")


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """A public endpoint without authorized networks, or with the network of everybody."""
    private = resource.get("privateClusterConfig.enablePrivateEndpoint")
    by_address = resource.get("controlPlaneEndpointsConfig.ipEndpointsConfig.enabled")
    if private is UNKNOWN or by_address is UNKNOWN:
        yield Undecided("privateClusterConfig.enablePrivateEndpoint")
        return
    if private is True or by_address is False:
        return
    networks = resource.get("masterAuthorizedNetworksConfig")
    if networks is UNKNOWN:
        yield Undecided("masterAuthorizedNetworksConfig")
    elif networks is None:
        yield Finding("masterAuthorizedNetworksConfig", "is missing, so that everybody reaches the endpoint")
    for path, block in resource.items("masterAuthorizedNetworksConfig.cidrBlocks"):
        if block.get("cidrBlock") is UNKNOWN:
            yield Undecided(f"{path}.cidrBlock")
        elif is_anywhere(block.get("cidrBlock")):
            yield Finding(f"{path}.cidrBlock", f"opens the endpoint to {block['cidrBlock']!r}")

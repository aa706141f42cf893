"""The Kubernetes API is not open to the internet."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.ingress import is_internet

POLICY = Policy(
    title="No cluster endpoint open to the internet",
    severity="critical",
    description="An API that is reachable from anywhere can be attacked with stolen tokens and with new "
    "vulnerabilities. EKS and GKE open it to the internet by default.",
    remediation="Disable the public endpoint, or list the networks that may use it: publicAccessCidrs on "
    "EKS, masterAuthorizedNetworksConfig on GKE.",
    frameworks=("CIS EKS 5.4.1", "CIS EKS 5.4.2", "CIS GKE 5.6.3", "CIS GKE 5.6.4", "NIST 800-53 SC-7"),
)


@POLICY.on("aws:eks/cluster:Cluster")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """A public endpoint without a list of networks, or with the internet in it."""
    if resource.known("vpcConfig.endpointPublicAccess") is False:
        return
    path = "vpcConfig.publicAccessCidrs"
    if not resource.known(path):
        yield Violation(path, "lists no networks, so that EKS opens the endpoint to '0.0.0.0/0'")
    yield from check_each(resource.entries(path), _check_network)


def _check_network(network: Entry) -> Iterator[Outcome]:
    if is_internet(network.known()):
        yield Violation(network.path, f"opens the endpoint to {network.known()!r}")


@POLICY.on("gcp:container/cluster:Cluster")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """A public endpoint without authorized networks, or with the internet among them."""
    private = resource.known("privateClusterConfig.enablePrivateEndpoint")
    by_address = resource.known("controlPlaneEndpointsConfig.ipEndpointsConfig.enabled")
    if private is True or by_address is False:
        return
    if resource.known("masterAuthorizedNetworksConfig") is None:
        yield Violation(
            "masterAuthorizedNetworksConfig", "is not set, so that the endpoint is open to the internet"
        )
    blocks = resource.entries("masterAuthorizedNetworksConfig.cidrBlocks")
    yield from check_each(
        (Entry(block.where("cidrBlock"), block.raw("cidrBlock")) for block in blocks), _check_network
    )

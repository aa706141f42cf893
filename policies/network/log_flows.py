"""Who talked to whom is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided, each

POLICY = Policy(
    title="Flow logs on",
    severity="medium",
    description="After an incident flow logs are what tells who talked to whom, and whether data left. "
    "Every VPC and every subnet with machines has them.",
    remediation="Add an aws.ec2.FlowLog with trafficType ALL (or REJECT) for the VPC; on Google Cloud "
    "give the subnetwork a logConfig.",
    frameworks=("CIS AWS 3.7", "CIS GCP 3.8", "NIST 800-53 AU-12", "NIST 800-53 SI-4", "SOC 2 CC7.2"),
)

_LOG: Final = "aws:ec2/flowLog:FlowLog"
_WITHOUT_MACHINES: Final = (
    "REGIONAL_MANAGED_PROXY",
    "GLOBAL_MANAGED_PROXY",
    "INTERNAL_HTTPS_LOAD_BALANCER",
    "PRIVATE_SERVICE_CONNECT",
    "PRIVATE_NAT",
    "PEER_MIGRATION",
)


@POLICY.on(_LOG)
def on_logs(resource: Resource) -> Iterator[Judgement]:
    """A log that leaves out what was refused."""
    traffic = resource.get("trafficType")
    if traffic is UNKNOWN:
        yield Undecided("trafficType")
    elif traffic == "ACCEPT":
        yield Finding("trafficType", "leaves out what was refused, by which an attack is seen")


@POLICY.on_stack
def on_vpcs(stack: Stack) -> Iterator[Judgement]:
    """VPCs that nobody watches."""
    watched = {each.get("vpcId") for each in stack.of(_LOG) if isinstance(each.get("vpcId"), str)}
    for vpc in stack.of("aws:ec2/vpc:Vpc"):
        own = vpc.get("id")
        logs = any(user.type == _LOG for user in stack.users_of(vpc))
        if not logs and not (isinstance(own, str) and own in watched):
            yield Finding("", "has no flow log", vpc)


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Judgement]:
    """Subnetworks with machines that nobody watches. Those that pools have for the traffic among their GPUs
    alone, as additional networks of nodes, are left out: nothing from outside comes there."""
    fabrics = _fabrics(stack)
    for subnet in stack.of("gcp:compute/subnetwork:Subnetwork"):
        purpose, config = subnet.said("purpose"), subnet.get("logConfig")
        if purpose is UNKNOWN or config is UNKNOWN:
            yield Undecided("logConfig" if config is UNKNOWN else "purpose")
        elif config is None and purpose not in _WITHOUT_MACHINES and subnet.urn not in fabrics:
            yield Finding("logConfig", "is missing, so that nothing of the subnet's traffic is kept", subnet)


def _fabrics(stack: Stack) -> set[str]:
    named: set[Any] = set()
    found: set[str] = set()
    for pool in stack.of("gcp:container/nodePool:NodePool"):
        for _, network in each(pool.get("networkConfig.additionalNodeNetworkConfigs")):
            named.add(network.get("subnetwork"))
        if list(each(pool.get("networkConfig.additionalNodeNetworkConfigs"))):
            found |= set(pool.property_dependencies.get("networkConfig", ()))
    for subnet in stack.of("gcp:compute/subnetwork:Subnetwork"):
        if any(isinstance(subnet.get(key), str) and subnet.get(key) in named for key in ("name", "selfLink")):
            found.add(subnet.urn)
    return found

"""Flow logs record the traffic of networks."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any, Final

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each

POLICY = Policy(
    title="Flow logs on",
    severity="medium",
    description="After an incident, flow logs show which machines communicated and whether data was sent "
    "out. Every VPC and every subnet with machines has them.",
    remediation="Add an aws.ec2.FlowLog with trafficType ALL (or REJECT) for the VPC; on Google Cloud give "
    "the subnetwork a logConfig.",
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
"""Purposes of subnetworks that have no machines."""


@POLICY.on(_LOG)
def on_logs(resource: Resource) -> Iterator[Outcome]:
    """A log without the rejected traffic."""
    if resource.known("trafficType") == "ACCEPT":
        yield Violation("trafficType", "omits rejected traffic, which reveals attacks")


@POLICY.on_stack
def on_vpcs(stack: Stack) -> Iterator[Outcome]:
    """VPCs without a flow log."""
    logged = {log.raw("vpcId") for log in stack.of(_LOG) if isinstance(log.raw("vpcId"), str)}
    yield from check_each(stack.of("aws:ec2/vpc:Vpc"), _check_vpc, stack, logged)


def _check_vpc(vpc: Resource, stack: Stack, logged: Set[Any]) -> Iterator[Outcome]:
    identifier = vpc.raw("id")
    logs = any(user.type == _LOG for user in stack.users_of(vpc))
    if not logs and not (isinstance(identifier, str) and identifier in logged):
        yield Violation("", "has no flow log")


@POLICY.on_stack
def on_google(stack: Stack) -> Iterator[Outcome]:
    """Subnetworks with machines and without flow logs. Subnetworks for the traffic among the GPUs of a pool
    (additional networks of its nodes) are exempt: nothing else is connected to them."""
    subnetworks = stack.of("gcp:compute/subnetwork:Subnetwork")
    yield from check_each(subnetworks, _check_subnetwork, _gpu_subnetworks(stack))


def _check_subnetwork(subnetwork: Resource, gpu_subnetworks: Set[str]) -> Iterator[Outcome]:
    if subnetwork.urn in gpu_subnetworks or subnetwork.known("logConfig") is not None:
        return
    if subnetwork.declared("purpose") not in _WITHOUT_MACHINES:
        yield Violation("logConfig", "is not set, so that the traffic of the subnet is not logged")


def _gpu_subnetworks(stack: Stack) -> set[str]:
    names: set[Any] = set()
    urns: set[str] = set()
    for pool in stack.of("gcp:container/nodePool:NodePool"):
        networks: Any = pool.raw("networkConfig.additionalNodeNetworkConfigs")
        if isinstance(networks, list) and networks:
            urns |= set(pool.sources("networkConfig"))
            names |= {
                network.raw("subnetwork")
                for network in pool.entries("networkConfig.additionalNodeNetworkConfigs")
            }
    for subnetwork in stack.of("gcp:compute/subnetwork:Subnetwork"):
        known = (subnetwork.raw(key) for key in ("name", "selfLink"))
        if any(isinstance(value, str) and value in names for value in known):
            urns.add(subnetwork.urn)
    return urns

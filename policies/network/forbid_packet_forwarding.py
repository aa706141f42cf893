"""Machines do not forward packets."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="No machine that forwards packets",
    severity="medium",
    description="A machine that sends and receives packets for other addresses bypasses firewalls and flow "
    "logs. NAT gateways and load balancers of the cloud serve its legitimate purposes.",
    remediation="Leave sourceDestCheck on (AWS) and canIpForward off (Google Cloud).",
    frameworks=("CIS GCP 4.6", "NIST 800-53 SC-7", "NIST 800-53 CM-7"),
)


@POLICY.on("aws:ec2/instance:Instance", "aws:ec2/networkInterface:NetworkInterface")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Machines and interfaces whose addresses are not checked."""
    if resource.known("sourceDestCheck") is False:
        yield Violation("sourceDestCheck", "is off, so that the machine forwards packets of any address")


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Machines that may forward."""
    if resource.known("canIpForward") is True:
        yield Violation("canIpForward", "is on, so that the machine forwards packets of any address")

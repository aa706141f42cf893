"""A machine speaks for itself."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No machine that forwards packets",
    severity="medium",
    description="A machine that may send and receive for other addresses is a way around firewalls and "
    "flow logs. NAT gateways and load balancers of the cloud do what it is needed for.",
    remediation="Leave sourceDestCheck on (AWS) and canIpForward off (Google Cloud).",
    frameworks=("CIS GCP 4.6", "NIST 800-53 SC-7", "NIST 800-53 CM-7"),
)


@POLICY.on("aws:ec2/instance:Instance", "aws:ec2/networkInterface:NetworkInterface")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Machines and interfaces whose addresses are not checked."""
    checked = resource.get("sourceDestCheck")
    if checked is UNKNOWN:
        yield Undecided("sourceDestCheck")
    elif checked is False:
        yield Finding("sourceDestCheck", "is off, so that the machine forwards for any address")


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Machines that may forward."""
    forwards = resource.get("canIpForward")
    if forwards is UNKNOWN:
        yield Undecided("canIpForward")
    elif forwards is True:
        yield Finding("canIpForward", "is on, so that the machine forwards for any address")

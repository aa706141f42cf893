"""The number of NAT gateways has a limit."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import UNKNOWN, Deferred, Option, Options, Outcome, Policy, Stack, Violation

POLICY = Policy(
    title="Few NAT gateways",
    severity="low",
    description="A NAT gateway costs some thirty dollars a month without any traffic. In prod each zone has "
    "one, so that the failure of a zone does not affect the others; dev and staging share one.",
    remediation="Route the private subnets of all zones to one NAT gateway, or raise `most` for this profile "
    "in enforcement.yaml.",
    options={
        "most": Option({"type": "integer", "minimum": 0}, 4, "The most public NAT gateways of a program.")
    },
)


@POLICY.on_stack
def on_aws(stack: Stack, options: Options) -> Iterator[Outcome]:
    """Public NAT gateways; private ones, which connect networks, do not count."""
    gateways = stack.of("aws:ec2/natGateway:NatGateway")
    if any(gateway.raw("connectivityType") is UNKNOWN for gateway in gateways):
        yield Deferred("connectivityType")
    public = [gateway for gateway in gateways if gateway.raw("connectivityType") not in ("private", UNKNOWN)]
    # Sorted, so that every run reports the same ones.
    for gateway in sorted(public, key=lambda gateway: gateway.urn)[options["most"] :]:
        yield Violation("", f"is one of {len(public)} NAT gateways, more than {options['most']}", gateway)

"""No more NAT gateways than the profile needs."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Stack, Undecided

POLICY = Policy(
    title="Few NAT gateways",
    severity="low",
    description="A NAT gateway costs some thirty dollars a month before it carries a byte. In prod there "
    "is one a zone, so that a zone's end does not take the others' way out; dev and staging share one.",
    remediation="Route the private subnets of all zones to one NAT gateway, or have `most` raised for this "
    "profile in strictness.yaml.",
    options={
        "most": Option({"type": "integer", "minimum": 0}, 4, "The most public NAT gateways of a program.")
    },
)


@POLICY.on_stack
def on_aws(stack: Stack, options: Options) -> Iterator[Judgement]:
    """Public NAT gateways; private ones join networks, and are counted by nobody."""
    gateways: list[Resource] = []
    for each in stack.of("aws:ec2/natGateway:NatGateway"):
        kind = each.get("connectivityType")
        if kind is UNKNOWN:
            yield Undecided("connectivityType")
        elif kind != "private":
            gateways.append(each)
    # The engine tells resources in no order: without one another is told of in each run.
    for each in sorted(gateways, key=lambda each: each.urn)[options["most"] :]:
        yield Finding("", f"is one of {len(gateways)} NAT gateways, more than {options['most']}", each)

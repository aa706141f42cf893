"""Public addresses belong to something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided

POLICY = Policy(
    title="No idle public addresses",
    severity="low",
    description="A public address costs the same whether anything answers behind it, and one that nothing "
    "uses is forgotten until somebody points a name at it.",
    remediation="Give the address to the NAT gateway, load balancer or machine it was made for, or take it "
    "out.",
    frameworks=("NIST 800-53 CM-8",),
)

_NAMES = ("id", "allocationId", "address", "selfLink", "name", "publicIp")


@POLICY.on_stack
def on_addresses(stack: Stack) -> Iterator[Judgement]:
    """Addresses that nothing in the program has a property from, or names."""
    addresses = stack.of(
        "aws:ec2/eip:Eip", "gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress"
    )
    for address in addresses:
        if address.type.startswith("gcp:") and address.get("addressType") == "INTERNAL":
            continue
        own: list[Any] = [address.said(key) for key in ("instance", "networkInterface", "addressType")]
        if UNKNOWN in own:
            yield Undecided("instance" if address.type.startswith("aws:") else "addressType")
            continue
        if own[0] or own[1] or any(_holds(each) for each in stack.users_of(address)):
            continue
        names = {value for key in _NAMES if isinstance(value := address.get(key), str) and len(value) > 3}
        if not any(_names(each, names) for each in stack.resources if each is not address):
            yield Finding("", "is used by nothing in this program", address)


def _holds(user: Resource) -> bool:
    """Whether a user is more than a name that points to the address."""
    return user.type not in ("aws:route53/record:Record", "gcp:dns/recordSet:RecordSet")


def _names(resource: Resource, names: set[str]) -> bool:
    if not _holds(resource):
        return False
    said = str(dict(resource.props))
    return any(f"'{name}'" in said for name in names)

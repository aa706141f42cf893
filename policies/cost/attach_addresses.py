"""Public addresses are in use."""

from __future__ import annotations

from collections.abc import Iterator, Set

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each

POLICY = Policy(
    title="No unused public addresses",
    severity="low",
    description="A public address costs the same whether it is used or not, and an unused one is forgotten "
    "until a DNS name points to it by mistake.",
    remediation="Assign the address to the NAT gateway, load balancer or machine that it is for, or remove "
    "it.",
    frameworks=("NIST 800-53 CM-8",),
)

_NAMES = ("id", "allocationId", "address", "selfLink", "name", "publicIp")


@POLICY.on_stack
def on_addresses(stack: Stack) -> Iterator[Outcome]:
    """Addresses that no resource of the program refers to."""
    addresses = stack.of(
        "aws:ec2/eip:Eip", "gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress"
    )
    yield from check_each(addresses, _check_address, stack)


def _check_address(address: Resource, stack: Stack) -> Iterator[Outcome]:
    if address.declared("addressType") == "INTERNAL":
        return
    if address.declared("instance") or address.declared("networkInterface"):
        return
    if any(_uses_addresses(user) for user in stack.users_of(address)):
        return
    names = {value for key in _NAMES if isinstance(value := address.raw(key), str) and len(value) > 3}
    others = (other for other in stack.resources if other is not address)
    if not any(_uses_addresses(other) and _mentions(other, names) for other in others):
        yield Violation("", "is used by no resource of this program")


def _uses_addresses(user: Resource) -> bool:
    """Return whether a resource is more than a DNS name that points to the address."""
    return user.type not in ("aws:route53/record:Record", "gcp:dns/recordSet:RecordSet")


def _mentions(resource: Resource, names: Set[str]) -> bool:
    text = str(dict(resource.props))
    return any(f"'{name}'" in text for name in names)

"""Only listed ports are open to the internet."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.ingress import INGRESS, OpenPorts, is_internet, open_ports
from .forbid_public_administration import PORTS

POLICY = Policy(
    title="Only listed ports open to the internet",
    severity="high",
    description="The platform's services are used from inside its network. Public ports, such as port 443 of "
    "a load balancer, are listed in `public_ports`. network.forbid_public_administration covers the ports of "
    "administration and databases, which no list allows. A list of networks that contains the internet "
    "opens every rule that names the list.",
    remediation="Name the networks or security groups that may connect, also in lists of prefixes, or list "
    "the port in `public_ports` of this policy for the profile.",
    frameworks=("NIST 800-53 SC-7", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
    options={
        "public_ports": Option(
            {"type": "array", "items": {"type": "integer", "minimum": 1}},
            [],
            "TCP and UDP ports that may be open to the internet.",
        )
    },
)


@POLICY.on(*INGRESS)
def on_ingress(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Rules that open other ports to the internet."""
    yield from check_each(open_ports(resource), _check, options["public_ports"])


def _check(opened: OpenPorts, public: Collection[int]) -> Iterator[Outcome]:
    if any(opened.includes(port) for port in PORTS):
        return
    allowed = opened.protocol in ("tcp", "udp") and all(
        port in public for port in range(opened.first, opened.last + 1)
    )
    if not allowed:
        yield Violation(opened.path, f"opens {opened.ports} to {opened.source!r}")


@POLICY.on("aws:ec2/managedPrefixList:ManagedPrefixList")
def on_prefix_lists(resource: Resource) -> Iterator[Outcome]:
    """Prefix lists that contain the internet: rules name only the list."""
    yield from check_each(resource.entries("entries"), _check_prefix)


def _check_prefix(prefix: Entry) -> Iterator[Outcome]:
    yield from _check_network(Entry(prefix.where("cidr"), prefix.known("cidr")))


@POLICY.on("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry")
def on_prefixes(resource: Resource) -> Iterator[Outcome]:
    """Entries of prefix lists as separate resources."""
    yield from _check_network(Entry("cidr", resource.known("cidr")))


@POLICY.on("gcp:networksecurity/addressGroup:AddressGroup")
def on_address_groups(resource: Resource) -> Iterator[Outcome]:
    """Address groups that contain the internet."""
    yield from check_each(resource.entries("items"), _check_network)


def _check_network(network: Entry) -> Iterator[Outcome]:
    if is_internet(network.known()):
        yield Violation(
            network.path, f"is {network.known()!r}: rules that name the list are open to the internet"
        )

"""The internet reaches what is meant for it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import Finding, Judgement, Option, Options, Policy, Resource, Undecided
from ..pack.openings import INGRESS, openings
from .forbid_public_administration import PORTS

POLICY = Policy(
    title="Nothing open to the internet but what is listed",
    severity="high",
    description="The platform's services are reached from inside its network. What is to be public, a "
    "load balancer on port 443, is listed in `public_ports`. Administration and databases are "
    "judged by network.forbid_public_administration, and no list opens them.",
    remediation="Name the networks or security groups that may come in, or list the port in "
    "`public_ports` of this policy for the profile.",
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
def on_both(resource: Resource, options: Options) -> Iterator[Judgement]:
    """What security groups and firewalls let in from everywhere."""
    for opening in openings(resource):
        if isinstance(opening, Undecided):
            yield opening
        elif not any(opening.has(port) for port in PORTS):
            listed = opening.protocol in ("tcp", "udp") and all(
                port in options["public_ports"] for port in range(opening.first, opening.last + 1)
            )
            if not listed:
                yield Finding(opening.path, f"opens {opening.ports} to {opening.source!r}")

"""Nobody administers a machine or a database from the internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..pack import Finding, Judgement, Policy, Resource, Undecided
from ..pack.openings import INGRESS, openings

POLICY = Policy(
    title="No administration or database port open to the internet",
    severity="critical",
    description="SSH, RDP, the kubelet, etcd and databases are found and attacked within minutes where "
    "the whole internet reaches them. No option opens them.",
    remediation="Reach machines by Session Manager or Identity-Aware Proxy and databases from inside the "
    "network, and take the source out.",
    frameworks=(
        "CIS AWS 5.2",
        "CIS AWS 5.3",
        "CIS GCP 3.6",
        "CIS GCP 3.7",
        "NIST 800-53 SC-7",
        "SOC 2 CC6.6",
    ),
)

PORTS: Final[Mapping[int, str]] = {
    22: "SSH",
    23: "Telnet",
    445: "SMB",
    1433: "SQL Server",
    1521: "Oracle",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5439: "Redshift",
    5900: "VNC",
    5985: "WinRM",
    6379: "Redis",
    8265: "Ray",
    8888: "Jupyter",
    9042: "Cassandra",
    9200: "OpenSearch",
    10250: "the kubelet",
    11211: "Memcached",
    27017: "MongoDB",
}
"""Port -> what answers there."""


@POLICY.on(*INGRESS)
def on_both(resource: Resource) -> Iterator[Judgement]:
    """What security groups and firewalls let in from everywhere."""
    for opening in openings(resource):
        if isinstance(opening, Undecided):
            yield opening
            continue
        reached = [name for port, name in PORTS.items() if opening.has(port)]
        if reached:
            names = ", ".join(dict.fromkeys(reached[:3])) + (" and more" if len(reached) > 3 else "")
            yield Finding(opening.path, f"opens {opening.ports} to {opening.source!r}, with that {names}")

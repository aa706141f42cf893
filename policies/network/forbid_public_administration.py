"""No administration or database port is open to the internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, check_each
from ..framework.ingress import INGRESS, OpenPorts, open_ports

POLICY = Policy(
    title="No administration or database port open to the internet",
    severity="critical",
    description="SSH, RDP, the kubelet, etcd and databases are attacked within minutes after they become "
    "reachable from the internet. No option of this policy allows them.",
    remediation="Use Session Manager or Identity-Aware Proxy for machines, connect to databases from inside "
    "the network, and remove the source.",
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
"""Port -> its usual service."""


@POLICY.on(*INGRESS)
def on_ingress(resource: Resource) -> Iterator[Outcome]:
    """Rules that open one of the ports to the internet."""
    yield from check_each(open_ports(resource), _check)


def _check(opened: OpenPorts) -> Iterator[Outcome]:
    services = [name for port, name in PORTS.items() if opened.includes(port)]
    if services:
        names = ", ".join(dict.fromkeys(services[:3])) + (" and more" if len(services) > 3 else "")
        yield Violation(opened.path, f"opens {opened.ports} to {opened.source!r}, including {names}")

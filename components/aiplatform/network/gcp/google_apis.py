"""The addresses of Google's APIs inside a network ("Configure Private Google Access")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class VirtualAddresses:
    """Four addresses of Google's APIs, and their name."""

    name: str
    cidr: str
    addresses: tuple[str, ...]


VIRTUAL: Final[Mapping[str, VirtualAddresses]] = {
    "private": VirtualAddresses(
        "private.googleapis.com.", "199.36.153.8/30", tuple(f"199.36.153.{last}" for last in range(8, 12))
    ),
    "restricted": VirtualAddresses(
        "restricted.googleapis.com.", "199.36.153.4/30", tuple(f"199.36.153.{last}" for last in range(4, 8))
    ),
}
DIRECT: Final = "34.126.0.0/18"
"""The addresses that Google's clients use for gRPC without the front ends (direct connectivity)."""

DOMAINS: Final[Mapping[str, str]] = {
    "googleapis": "googleapis.com.",
    "gcr": "gcr.io.",
    "pkg": "pkg.dev.",
    "gke": "gke.goog.",
}
"""Domains whose names resolve to these addresses: the APIs, both registries of images, and the DNS endpoints
of GKE's control planes."""

"""The services that a project can enable: titles, what each depends on, and the accounts that come with it.

Sources: `gcloud services list --available` for names and titles; "Service agents" of the IAM documentation
for accounts and their roles; dependencies as `gcloud services disable` reports them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twin.gcp import services

_TITLES: Final[Mapping[str, str]] = services.tables("serviceusage")["titles"]

DEPENDS: Final[Mapping[str, tuple[str, ...]]] = services.tables("serviceusage")["depends"]

AGENTS: Final[Mapping[str, tuple[str, ...]]] = services.tables("serviceusage")["agents"]

ON_DEMAND: Final = frozenset(
    {"cloudkms.googleapis.com", "secretmanager.googleapis.com", "sqladmin.googleapis.com"}
    | {"storage.googleapis.com", "firestore.googleapis.com", "bigtableadmin.googleapis.com"}
)
"""Services whose account comes only by `gcloud beta services identity create`, or when a client asks for it
(Cloud Storage's projects.serviceAccount.get)."""

AGENT_ROLES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = services.tables("serviceusage")["agent_roles"]


def known(service: str) -> bool:
    """Whether Google has a service of that name that projects can enable."""
    return service.removesuffix(".googleapis.com") in _TITLES and service.endswith(".googleapis.com")


def title(service: str) -> str:
    """`Compute Engine API` of `compute.googleapis.com`."""
    return _TITLES.get(service.removesuffix(".googleapis.com"), service)


def every() -> list[str]:
    """All services, by name."""
    return [f"{name}.googleapis.com" for name in sorted(_TITLES)]

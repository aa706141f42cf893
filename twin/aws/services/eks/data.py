"""The add-ons that EKS offers: data.toml, which names the sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from twin.aws.services.eks.operations.versions import minor
from twin.aws.validation import stated


@dataclass(frozen=True)
class Offer:
    """One add-on. versions: (add-on version, first and last Kubernetes minor), newest first."""

    name: str
    kind: str
    versions: tuple[tuple[str, int, int], ...]
    keys: frozenset[str]
    namespace: str = "kube-system"
    service_accounts: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    needs_nodes: bool = False
    """A Deployment: DEGRADED or CREATING until there are nodes."""

    def for_version(self, kubernetes: str) -> list[str]:
        """The add-on versions for a Kubernetes version, newest first."""
        number = minor(kubernetes)
        return [version for version, first, last in self.versions if first <= number <= last]


def _offer(name: str, kind: str, versions: list[Any], keys: list[str], **more: Any) -> Offer:
    lists: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in more.items()
    }
    return Offer(name, kind, tuple(tuple(version) for version in versions), frozenset(keys), **lists)


_STATED: Final = stated.read(__name__)
ADDONS: Final = {name: _offer(name, **stated) for name, stated in _STATED.items()}

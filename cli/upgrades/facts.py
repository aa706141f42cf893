"""What a cloud states of a cluster: versions that run, versions that it offers, and until when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

_MINOR: Final = re.compile(r"v?1\.(\d+)")
_NODES_BEHIND: Final = {"aws": 3, "gcp": 2}


@dataclass(frozen=True)
class Support:
    """The last days of a version's support; None where they are not known."""

    standard: date | None = None
    extended: date | None = None


UNKNOWN: Final = Support()


@dataclass(frozen=True)
class ControlPlane:
    """The control plane of a cluster.

    version: its minor version. exists: whether it runs; otherwise the version is the file's. offered: minor
    versions that the cloud offers. is_offered: whether it supports the present one. pays_extended: whether
    the cluster stays at its version in extended support, and pays for it.
    """

    name: str
    version: str
    exists: bool
    offered: Sequence[str]
    support: Support
    is_offered: bool = True
    pays_extended: bool = False

    @property
    def newest(self) -> str:
        """The newest minor version that the cloud offers."""
        return max((*self.offered, self.version), key=minor)

    @property
    def next(self) -> str:
        """The minor version after the present one; empty where the cloud offers none."""
        following = f"1.{minor(self.version) + 1}"
        return following if following in self.offered else ""


@dataclass(frozen=True)
class Nodes:
    """A node group of EKS or a node pool of GKE.

    release: of its machine image; empty where it is not known before it exists. version: the nodes' minor
    version. newest: the newest release for the present minor version of the control plane. newest_next: for
    the following one. Both are empty where they are not known.
    """

    name: str
    pool: str
    release: str
    version: str
    newest: str = ""
    newest_next: str = ""
    support: Support = UNKNOWN


@dataclass(frozen=True)
class Addon:
    """An add-on of EKS.

    version: installed; empty where it is not. default, newest: for the present minor version of the control
    plane. for_both: versions that EKS offers for this and the following minor version, newest first.
    """

    name: str
    version: str
    default: str
    newest: str
    for_both: Sequence[str] = ()
    for_next: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """All of it. findings: what the cloud itself reports against the next version. notes: what is not
    known."""

    control: ControlPlane
    nodes: Sequence[Nodes]
    addons: Sequence[Addon] = ()
    findings: Sequence[str] = ()
    notes: Sequence[str] = ()


def minor(version: str) -> int:
    """Return 35 of `1.35` and of `1.35.8-20260930`; -1 for a version that is none of Kubernetes."""
    match = _MINOR.match(version)
    return int(match[1]) if match else -1


def minor_of(version: str) -> str:
    """Return `1.35` of `1.35.6-gke.1250000`; empty for a version that is none of Kubernetes."""
    return "" if minor(version) < 0 else f"1.{minor(version)}"


def most_behind(cloud: str) -> int:
    """Return how many minor versions nodes may be older than the control plane (EKS user guide, "Update
    existing cluster to new Kubernetes version"; GKE documentation, "GKE versioning and support")."""
    return _NODES_BEHIND[cloud]


def first_date(value: Any) -> date | None:
    """Return the day of a datetime, or of a text that begins with it (`2027-04-11`,
    `2027-04-11T00:00:00Z`)."""
    if value is None or value == "":
        return None
    text = str(value)[:10]
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def release_key(release: str) -> tuple[int, ...]:
    """Return what releases of one image are compared by: all numbers, but the commit of Bottlerocket's."""
    head, _, tail = release.partition("-")
    numbers = [int(part) for part in re.findall(r"\d+", head)]
    is_date_or_gke = bool(re.fullmatch(r"\d{8}|gke\.\d+", tail))
    return (*numbers, *(int(part) for part in re.findall(r"\d+", tail if is_date_or_gke else "")))


def label(labels: Mapping[str, Any] | None, name: str) -> str:
    """Return a node's label; empty where there is none."""
    return str((labels or {}).get(name, ""))

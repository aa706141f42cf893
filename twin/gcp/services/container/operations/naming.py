"""What names, labels, tags and taints may be written with, in GKE's words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid

CLUSTER: Final = 40
POOL: Final = 40
_NAME: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
_LABEL_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DOMAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_RESOURCE_KEY: Final = re.compile(
    r"[a-z\u00df-\u00f6\u00f8-\u00ff][-a-z0-9_\u00df-\u00f6\u00f8-\u00ff]{0,62}"
)
_RESOURCE_VALUE: Final = re.compile(r"[-a-z0-9_\u00df-\u00f6\u00f8-\u00ff]{0,63}")
_TAG: Final = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
OWNED: Final[tuple[str, ...]] = services.tables("container")["owned_labels"]
EFFECTS: Final[Mapping[str, str]] = services.tables("container")["effects"]


def check(name: str, what: str, path: str, longest: int) -> None:
    """A cluster's or a node pool's name: RFC 1035, at most 40 characters."""
    if not name:
        raise invalid(f"{path}: a {what} name must be given.")
    if len(name) > longest or not _NAME.fullmatch(name):
        raise invalid(
            f"Invalid value for field '{path}': '{name}'. A {what} name must start with a lowercase letter "
            f"followed by up to {longest - 1} lowercase letters, numbers, or hyphens, and cannot end with a "
            f"hyphen (it has {len(name)} characters)."
        )


def resource_labels(labels: Mapping[str, str] | None, path: str) -> None:
    """Google Cloud's labels: lowercase keys and values, at most 63 characters, at most 64 of them."""
    labels_ = labels or {}
    if len(labels_) > 64:
        raise invalid(f"{path}: at most 64 labels are allowed, got {len(labels_)}.")
    for name, value in labels_.items():
        if not _RESOURCE_KEY.fullmatch(name):
            raise invalid(
                f"Invalid field '{path}': label key '{name}' must start with a lowercase letter and may have "
                "lowercase letters, numbers, underscores and dashes only, at most 63 of them."
            )
        if not _RESOURCE_VALUE.fullmatch(value):
            raise invalid(
                f"Invalid field '{path}': label value '{value}' of '{name}' may have lowercase letters, "
                "numbers, underscores and dashes only, at most 63 of them."
            )


def node_labels(labels: Mapping[str, str] | None, path: str) -> None:
    """Kubernetes labels of a node pool."""
    for name, value in (labels or {}).items():
        _qualified(name, f"{path}: label key")
        if value and not _LABEL_NAME.fullmatch(value):
            raise invalid(f"{path}: label value '{value}' of '{name}' is no valid Kubernetes label value.")
        domain = name.rpartition("/")[0]
        owned = name in OWNED or domain.endswith(("kubernetes.io", "k8s.io"))
        if owned and not _allowed(domain):
            raise invalid(
                f"{path}: label '{name}' is reserved: node pools cannot set labels of the prefixes "
                "kubernetes.io and k8s.io, nor those that GKE sets itself."
            )


def _allowed(domain: str) -> bool:
    # What a kubelet may set on its own node next to its well-known labels.
    return domain.endswith(("kubelet.kubernetes.io", "node.kubernetes.io")) and bool(domain)


def taints(taints: Iterable[Mapping[str, Any]] | None, path: str) -> None:
    """Kubernetes taints of a node pool."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints or ()):
        name, effect = taint.get("key", ""), taint.get("effect", "")
        _qualified(name, f"{path}[{index}].key: taint key")
        if effect not in EFFECTS:
            raise invalid(f"{path}[{index}].effect: '{effect}' is not one of {', '.join(EFFECTS)}.")
        value = taint.get("value", "")
        if value and not _LABEL_NAME.fullmatch(value):
            raise invalid(f"{path}[{index}].value: '{value}' is no valid taint value.")
        if (name, effect) in seen:
            raise invalid(f"{path}[{index}]: the taint {name}:{effect} is a duplicate.")
        seen.add((name, effect))


def tags(names: Iterable[str] | None, path: str) -> None:
    """Network tags: RFC 1035, at most 64 of them."""
    names_ = list(names or ())
    if len(names_) > 64:
        raise invalid(f"{path}: at most 64 network tags are allowed, got {len(names_)}.")
    for tag in names_:
        if not _TAG.fullmatch(tag):
            raise invalid(
                f"{path}: '{tag}' is no network tag: lowercase letters, numbers and hyphens, RFC 1035."
            )


def _qualified(name: str, what: str) -> None:
    domain, slash, rest = name.rpartition("/")
    fits = _LABEL_NAME.fullmatch(rest) and (not slash or (_DOMAIN.fullmatch(domain) and len(domain) <= 253))
    if not fits:
        raise invalid(
            f"{what} '{name}' is not valid: an optional DNS prefix and '/', then at most 63 characters."
        )


def group_name(cluster: str, pool: str, zone: str, seed: str) -> str:
    """`gke-CLUSTER-POOL-HASH` of a zone's managed instance group; with `-grp` it is the group, with four more
    letters a node. seed: states a pool from an earlier one of the same name."""
    digest = hashlib.sha256(f"{seed}/{cluster}/{pool}/{zone}".encode()).hexdigest()[:8]
    # A node's name has at most 63 characters: both names give way.
    room = 63 - len("gke---") - len(digest) - 5
    if len(cluster) + len(pool) > room:
        cluster = cluster[: max(room // 2, room - len(pool))].rstrip("-")
        pool = pool[: room - len(cluster)].rstrip("-")
    return f"gke-{cluster}-{pool}-{digest}"

"""Rules of Kubernetes for node labels and taints, and additional ones of EKS and GKE.

Sources: apimachinery's validation of qualified names and label values; the NodeRestriction rule that a
kubelet may not set most `kubernetes.io` and `k8s.io` labels on itself; EKS's API model (keys and values to
63 characters, no `eks.amazonaws.com` labels by users).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiplatform._shared.args import Problem, got, is_unknown, matches, with_value
from aiplatform._shared.kubernetes.inputs import TaintArgs as TaintArgs
from aiplatform._shared.outputs import Tags, plain

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 63
DNS_LABEL: Final = matches(
    r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "1 to 63 lower-case letters, digits and hyphens (a DNS label)"
)
"""The name of most objects of Kubernetes."""
_MOST_TAINTS = 50

KUBELET_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
"""Domains under kubernetes.io in which a kubelet can set labels on its node."""
PLATFORM_DOMAIN: Final = "ai-platform"
INTERNAL_ISSUER: Final = "ai-platform-internal"
"""The ClusterIssuer of certificates for internal names (component Addons)."""
TRACING_NAMESPACE: Final = "tracing"
"""The namespace of the collector of traces (component Observability)."""
COST_NAMESPACE: Final = "cost-control"
"""The namespace of the program that controls costs (component Cost)."""
COST_ACCOUNT: Final = "cost-control"
"""Its service account that holds ClusterQueues."""
REAPER_ACCOUNT: Final = "reaper"
"""Its service account that ends work with idle GPUs."""
TEAM_LABEL: Final = f"{PLATFORM_DOMAIN}/team"
"""The label of what belongs to a team: its name."""
_RESERVED: Final[Mapping[str, str]] = {
    "eks.amazonaws.com": "EKS",
    "kubernetes.io": "Kubernetes",
    "k8s.io": "Kubernetes",
    "cloud.google.com": "GKE",
    "gke.io": "GKE",
    "google.com": "GKE",
}
"""Domains whose labels others set."""

EFFECTS: Final[Mapping[str, str]] = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}
"""Effect in Kubernetes -> effect in the APIs of EKS and GKE."""

TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


@dataclass(frozen=True)
class Taint:
    """A node taint: Pods without a toleration for it are not scheduled on the nodes."""

    key: str
    """`example.com/batch`."""
    effect: TaintEffect
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`."""
    value: str = ""
    """Default: empty."""


def key_problem(key: str) -> str | None:
    """Return the problem of the key of a user's label or taint, or None."""
    domain, slash, name = key.rpartition("/")
    if len(key) > _LONGEST or not _NAME.fullmatch(name) or (slash and not _DOMAIN.fullmatch(domain)):
        return (
            "expected a key like 'team' or 'example.com/team': letters, digits, '-', '_' and '.' in the "
            f"name, a lower-case DNS name before the slash, at most {_LONGEST} characters (EKS's limit)"
        )
    if domain == PLATFORM_DOMAIN:
        return f"expected another domain: those under '{PLATFORM_DOMAIN}/' are set by the pool itself"
    reserved = next((top for top in _RESERVED if domain == top or domain.endswith(f".{top}")), None)
    if reserved and domain not in KUBELET_DOMAINS:
        return f"expected another domain: '{reserved}' is reserved for {_RESERVED[reserved]}"
    return None


def pool_name(longest: int) -> Callable[[Any], str | None]:
    """Return a rule for the name of a pool of nodes: a DNS label, not the name of the cluster's system
    nodes."""
    pattern = re.compile(rf"[a-z]([-a-z0-9]{{0,{longest - 2}}}[a-z0-9])?")

    def rule(value: Any) -> str | None:
        if not pattern.fullmatch(value):
            return f"expected 1 to {longest} lower-case letters, digits and hyphens, a letter first"
        return (
            "expected another name: the cluster's system node group has this one"
            if value == "system"
            else None
        )

    return rule


def value_problem(value: str) -> str | None:
    """Return the problem of the value of a label or taint, or None. Empty is allowed."""
    if value == "" or _NAME.fullmatch(value):
        return None
    return f"expected at most {_LONGEST} letters, digits, '-', '_' and '.', a letter or digit at both ends"


def class_name(value: str) -> str | None:
    """A rule for the name of a ComputeClass ("About custom ComputeClasses")."""
    if value.startswith(("gke", "autopilot")):
        return "expected a name that begins with neither 'gke' nor 'autopilot', which are reserved for GKE"
    if value == "default":
        return "expected another name: the ComputeClass 'default' applies to all Pods that select none"
    return None


NO_DEVICE_PLUGIN: Final = "gke-no-default-nvidia-gpu-device-plugin"
"""A label with which GKE installs neither GPU device plugin nor drivers on a node."""


def gke_label_problems(labels: Tags, pool_keys: Iterable[str]) -> Iterator[Problem]:
    """Return the problems of a user's labels on GKE, as `label_problems` with the labels that GKE
    reserves."""
    if is_unknown(labels):
        return
    rest = dict(plain(labels))
    if rest.pop(NO_DEVICE_PLUGIN, None) is not None:
        yield Problem(
            f"labels.{NO_DEVICE_PLUGIN}",
            "expected another key: with it GKE installs neither drivers nor device plugin, and the nodes "
            "would have no accelerator for Pods",
        )
    yield from label_problems(rest, pool_keys)


def label_problems(labels: Tags, pool_keys: Iterable[str]) -> Iterator[Problem]:
    """Return the problems of a user's labels. pool_keys: keys that the pool sets itself."""
    if is_unknown(labels):
        return
    for key, value in plain(labels).items():
        reason = key_problem(key)
        if not reason and key in pool_keys:
            reason = "expected another key: the pool sets this one itself"
        if reason:
            yield Problem(f"labels.{key}", reason)
            continue
        if is_unknown(value):
            continue
        # EKS requires at least one character where Kubernetes allows none.
        reason = value_problem(plain(value)) if value else "expected a value: EKS accepts no empty one"
        if reason:
            yield Problem(f"labels.{key}", with_value(value, reason))


def taint_problems(taints: Iterable[Taint], pool_keys: Iterable[str]) -> Iterator[Problem]:
    """Return the problems of a user's taints. pool_keys: keys that the pool sets itself."""
    seen: dict[tuple[str, str], int] = {}
    index = -1
    for index, taint in enumerate(taints):
        wrong = {"key": key_problem(taint.key), "value": value_problem(taint.value)}
        for key, reason in wrong.items():
            if reason:
                yield Problem(f"taints[{index}].{key}", with_value(getattr(taint, key), reason))
        if any(wrong.values()):
            continue
        first = seen.setdefault((taint.key, taint.effect), index)
        if first != index:
            yield Problem(f"taints[{index}]", f"{taint.key}:{taint.effect} duplicates taints[{first}]")
        if taint.key in pool_keys:
            yield Problem(
                f"taints[{index}].key", f"{got(taint.key)}; expected another key: the pool sets this taint"
            )
    if index >= _MOST_TAINTS:
        yield Problem("taints", f"{index + 1} taints; expected at most {_MOST_TAINTS}, EKS's limit")

"""Kubernetes' rules for node labels and taints, and what EKS adds to them.

Sources: apimachinery's validation of qualified names and label values; the NodeRestriction rule that a
kubelet may not set most `kubernetes.io` and `k8s.io` labels on itself; EKS's API model (keys and values to
63 characters, no `eks.amazonaws.com` labels by users).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, TypedDict

from aiplatform._shared.args import Problem, got

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 63
_MOST_TAINTS = 50

KUBELET_MAY: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
"""Domains under kubernetes.io in which a kubelet may label itself."""
OWN_DOMAIN: Final = "ai-platform"
_TAKEN: Final[Mapping[str, str]] = {
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
"""Kubernetes' word for an effect -> EKS's."""

TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class TaintArgs(TypedDict):
    """A node taint: Pods without a toleration for it stay away."""

    key: str
    """`example.com/batch`."""
    value: NotRequired[str]
    """Default: empty."""
    effect: TaintEffect
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`."""


@dataclass(frozen=True)
class Taint:
    """A checked TaintArgs."""

    key: str
    effect: TaintEffect
    value: str = ""

    def check(self) -> Iterator[Problem]:
        """What Kubernetes and EKS refuse."""
        reason = key_problem(self.key)
        if reason:
            yield Problem("key", f"{got(self.key)}, {reason}")
        reason = value_problem(self.value)
        if reason:
            yield Problem("value", f"{got(self.value)}, {reason}")


def key_problem(key: str) -> str | None:
    """What is wrong with the key of a label or taint that a user sets, or None."""
    domain, slash, name = key.rpartition("/")
    if len(key) > _LONGEST or not _NAME.fullmatch(name) or (slash and not _DOMAIN.fullmatch(domain)):
        return (
            "expected a key like 'team' or 'example.com/team': letters, digits, '-', '_' and '.' in the "
            f"name, a lower-case DNS name before the slash, at most {_LONGEST} characters (EKS's limit)"
        )
    if domain == OWN_DOMAIN:
        return f"expected another domain: those under '{OWN_DOMAIN}/' are set by the pool itself"
    taken = next((top for top in _TAKEN if domain == top or domain.endswith(f".{top}")), None)
    if taken and domain not in KUBELET_MAY:
        return f"expected a domain of your own: '{taken}' belongs to {_TAKEN[taken]}"
    return None


def pool_name(longest: int) -> Callable[[Any], str | None]:
    """A rule for the name of a pool of nodes: a DNS label, not the name of the cluster's own nodes."""
    pattern = re.compile(rf"[a-z]([-a-z0-9]{{0,{longest - 2}}}[a-z0-9])?")

    def rule(value: Any) -> str | None:
        if not pattern.fullmatch(value):
            return f"expected 1 to {longest} lower-case letters, digits and hyphens, a letter first"
        return "expected another name, that is the cluster's own node group" if value == "system" else None

    return rule


def value_problem(value: str) -> str | None:
    """What is wrong with the value of a label or taint, or None. Empty is allowed."""
    if value == "" or _NAME.fullmatch(value):
        return None
    return f"expected at most {_LONGEST} letters, digits, '-', '_' and '.', a letter or digit at both ends"


def class_name(value: str) -> str | None:
    """A rule for the name of a pool that is a ComputeClass, too ("About custom ComputeClasses")."""
    if value.startswith(("gke", "autopilot")):
        return (
            "expected a name that begins with neither 'gke' nor 'autopilot': those ComputeClasses are GKE's"
        )
    if value == "default":
        return "expected another name: the ComputeClass 'default' is that of all Pods that select none"
    return None


NO_DEVICE_PLUGIN: Final = "gke-no-default-nvidia-gpu-device-plugin"
"""A label that makes GKE leave its GPU device plugin and drivers away from a node."""


def gke_label_problems(labels: Mapping[str, str], own: Iterable[str]) -> Iterator[Problem]:
    """As `label_problems`, with what GKE keeps for itself."""
    rest = dict(labels)
    if rest.pop(NO_DEVICE_PLUGIN, None) is not None:
        yield Problem(
            f"labels.{NO_DEVICE_PLUGIN}",
            "expected another key: with it GKE installs neither drivers nor device plugin, and the nodes "
            "would have no accelerator for Pods",
        )
    yield from label_problems(rest, own)


def label_problems(labels: Mapping[str, str], own: Iterable[str]) -> Iterator[Problem]:
    """Problems of a user's labels; `own` are keys that the pool sets itself."""
    for key, value in labels.items():
        reason = key_problem(key)
        if not reason and key in own:
            reason = "expected another key: the pool sets this one itself"
        if reason:
            yield Problem(f"labels.{key}", reason)
            continue
        # EKS's model asks for at least one character where Kubernetes allows none.
        reason = value_problem(value) if value else "expected a value, EKS accepts no empty one"
        if reason:
            yield Problem(f"labels.{key}", f"{got(value)}, {reason}")


def taint_problems(taints: Iterable[Taint], own: Iterable[str]) -> Iterator[Problem]:
    """Return the problems between taints of a list; `own` are the keys that the pool sets itself."""
    seen: dict[tuple[str, str], int] = {}
    index = -1
    for index, taint in enumerate(taints):
        first = seen.setdefault((taint.key, taint.effect), index)
        if first != index:
            yield Problem(f"taints[{index}]", f"{taint.key}:{taint.effect} stands at taints[{first}] already")
        if taint.key in own:
            yield Problem(f"taints[{index}].key", f"{got(taint.key)}, the pool sets this taint itself")
    if index >= _MOST_TAINTS:
        yield Problem("taints", f"expected at most {_MOST_TAINTS}, EKS's limit, got {index + 1}")

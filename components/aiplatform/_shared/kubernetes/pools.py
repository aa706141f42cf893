"""What the arguments of all pools of nodes have in common: those of CPUs, of GPUs, and of the system."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, is_unknown

NodeImage = Literal["al2023", "bottlerocket"]

_ARM = re.compile(r"a1|[a-z]+(-[a-z0-9]+)?\d+g[a-z]*(-[a-z]+)?")
"""Families on AWS Graviton: a `g` right after the generation (m7g, c7gn, im4gn, x2gd), and a1."""

LONGEST_NAME: Final = 20
"""Characters of a pool's name: with `-reserved-{6}-` and the provider's suffix it is a node group's name."""
MOST_NODES: Final = 450
"""EKS's quota of nodes in a managed node group."""


def minimum_above_maximum(minimum: Input[int], maximum: Input[int]) -> Iterator[Problem]:
    """Report a minimum above the maximum, where both are known."""
    if is_unknown(minimum) or is_unknown(maximum):
        return
    if minimum > maximum:  # type: ignore[operator]
        yield Problem("min", f"got {minimum}; expected at most max, which is {maximum}")


_GOOGLE_ARM: Final = frozenset({"t2a", "c4a", "n4a"})
"""Families on Arm ("Arm VMs on Compute")."""


def architecture(instance_type: str) -> str:
    """Return `arm64` or `x86_64`, by the name of the type's family."""
    if "." not in instance_type:
        return "arm64" if instance_type.partition("-")[0] in _GOOGLE_ARM else "x86_64"
    return "arm64" if _ARM.fullmatch(instance_type.partition(".")[0]) else "x86_64"


def usable_storage(gib: int) -> str:
    """Return the disk space for Pods of a volume: 85 %, because file system, kube-reserved and the kubelet's
    eviction threshold (10 %) use the rest. The estimate is low on purpose: with a high one the autoscaler
    would add a node on which the Pod does not fit."""
    return f"{int(gib) * 85 // 100}Gi"

"""What the arguments of all pools of nodes have in common: those of CPUs, of GPUs, and of the system."""

from collections.abc import Iterator
from typing import Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, is_unknown

NodeImage = Literal["al2023", "bottlerocket"]

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


def usable_storage(gib: int) -> str:
    """Return the disk space for Pods of a volume: 85 %, because file system, kube-reserved and the kubelet's
    eviction threshold (10 %) use the rest. The estimate is low on purpose: with a high one the autoscaler
    would add a node on which the Pod does not fit."""
    return f"{int(gib) * 85 // 100}Gi"

"""What of a GPU pool's arguments Karpenter cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aiplatform._shared.args import Problem, got, is_unknown
from aiplatform._shared.outputs import Tags, plain

if TYPE_CHECKING:
    from aiplatform.gpu_pool.args import GpuPoolSettings

_LABEL_DOMAINS: Final = ("karpenter.sh", "karpenter.k8s.aws", "kubelet.kubernetes.io")
_TAGS: Final = (
    "eks:eks-cluster-name",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.k8s.aws/ec2nodeclass",
)
_LARGEST_VOLUME: Final = 59_000
"""GiB that an EC2NodeClass accepts (pattern of `volumeSize` in its definition, Karpenter 1.14)."""
_CLUSTER_TAG: Final = "kubernetes.io/cluster"


def problems(pool: GpuPoolSettings) -> Iterator[Problem]:
    """Return the problems of a pool whose nodes Karpenter creates."""
    if is_unknown(pool.min) or pool.min:
        what = "an output" if is_unknown(pool.min) else f"got {pool.min}"
        yield Problem(
            "min",
            f"{what}; expected 0: Karpenter creates nodes for Pods, and keeps no minimum; for a minimum use "
            "node_provisioning: cluster_autoscaler",
        )
    if not is_unknown(pool.disk_gib) and plain(pool.disk_gib) > _LARGEST_VOLUME:
        yield Problem(
            "disk_gib",
            f"got {pool.disk_gib} with node_provisioning {pool.node_provisioning!r}; expected at most "
            f"{_LARGEST_VOLUME} GiB, which Karpenter accepts",
        )
    if pool.sharing is not None:
        yield Problem(
            "sharing",
            f"got {pool.sharing.strategy!r} with node_provisioning {pool.node_provisioning!r}; expected no "
            "sharing: Karpenter plans with the whole cards of an instance type",
        )
    if pool.claimed:
        yield Problem(
            "device_allocation",
            f"got 'dra' with node_provisioning {pool.node_provisioning!r}; expected 'plugin': Karpenter 1.14 "
            "creates no nodes for Pods with claims",
        )
    if pool.image_version is not None and not pool.with_node_groups:
        yield Problem(
            "image_version",
            f"{got(pool.image_version)} with node_provisioning 'karpenter'; expected none: the component "
            "Karpenter states the releases of its nodes (image_versions)",
        )
    yield from _order(pool)
    yield from _reserved_names(pool)


def _order(pool: GpuPoolSettings) -> Iterator[Problem]:
    for index, entry in enumerate(pool.capacity):
        types = entry.instance_types or []
        if entry.type == "on_demand" and len(types) > 1:
            yield Problem(
                f"capacity[{index}].instance_types",
                f"{got(types)}; expected one: among several Karpenter takes the cheapest, and not the first",
            )


def _reserved_names(pool: GpuPoolSettings) -> Iterator[Problem]:
    for key in _keys(pool.labels):
        domain = key.rpartition("/")[0]
        if any(domain == top or domain.endswith(f".{top}") for top in _LABEL_DOMAINS):
            yield Problem(f"labels.{key}", "expected another domain: Karpenter refuses labels in it")
    for key in _keys(pool.tags):
        if key in _TAGS or key.startswith(_CLUSTER_TAG):
            yield Problem(f"tags.{key}", "expected another key: Karpenter sets this tag itself")


def _keys(tags: Tags) -> list[str]:
    """Return the keys of labels or tags; none where an output as a whole has them."""
    return [] if is_unknown(tags) else list(plain(tags))

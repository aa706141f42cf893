"""How a workload's Pod asks for a node of a pool, on every cloud: pure functions of a pool's outputs.

    there = placement.of(foundation.gpu_pools["train"])
    core.PodSpecArgs(
        node_selector=there.node_selector, tolerations=there.tolerations,
        containers=[core.ContainerArgs(..., resources={"limits": there.limits})],
    )

Why not by hand: EKS's nodes are tainted `nvidia.com/gpu=true`, GKE's `nvidia.com/gpu=present` and by a
ComputeClass, which Pods must select so that the pool's capacity is tried in its order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict, cast

from aiplatform._shared.kubernetes.node_labels import CAPACITY, POOL, TPU_SLICE

EFA: Final = "vpc.amazonaws.com/efa"
QUEUED: Final = "cloud.google.com/gke-queued"
"""GKE's taint on nodes that a ProvisioningRequest got."""
CONSUME: Final = "autoscaling.x-k8s.io/consume-provisioning-request"
CLASS_NAME: Final = "autoscaling.x-k8s.io/provisioning-class-name"
QUEUED_CLASS: Final = "queued-provisioning.gke.io"
INTERFACES: Final = "networking.gke.io/interfaces"
DEFAULT_INTERFACE: Final = "networking.gke.io/default-interface"


class Toleration(TypedDict):
    """A toleration as Kubernetes writes it."""

    key: str
    operator: str
    value: str
    effect: str


@dataclass(frozen=True)
class Placement:
    """What a Pod has so that it runs on a pool's nodes, and nowhere else.

    limits: of the container that works with the accelerators; Kubernetes takes them for its requests too.
    """

    limits: Mapping[str, str]
    node_selector: Mapping[str, str]
    tolerations: list[Toleration]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    def pod(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """A Pod's spec (camelCase) with the placement: selector and tolerations are added to its own, the
        limits to those of its first container."""
        first, *others = cast("list[dict[str, Any]]", spec["containers"])
        resources = dict(first.get("resources") or {})
        resources["limits"] = {**(resources.get("limits") or {}), **self.limits}
        return {
            **spec,
            "nodeSelector": {**(spec.get("nodeSelector") or {}), **self.node_selector},
            "tolerations": [*(spec.get("tolerations") or []), *self.tolerations],
            "containers": [{**first, "resources": resources}, *others],
        }


def of(pool: Mapping[str, Any], amount: int | None = None) -> Placement:
    """The placement of a Pod on a pool.

    pool: the outputs of a GpuPool or a NodePool, as the component or a stack's output gives them.
    amount: how much of the pool's resource it takes. Default: all that a node has, and with that the network
    interfaces of the accelerators. Raises ValueError where a node never has so much.
    """
    most = int(pool.get("resources_per_node") or 0)
    taken = most if amount is None else amount
    if not 0 <= taken <= most or (most and not taken):
        expected = f"1 to {most}" if most else "0"
        raise ValueError(f"amount: got {amount}, expected {expected}, what a node of {pool['name']!r} has")
    whole = taken == most
    limits = {str(pool["resource"]): str(taken)} if taken else {}
    annotations: dict[str, str] = {}
    if whole and pool.get("efa_interfaces"):
        limits[EFA] = str(pool["efa_interfaces"])
    if whole and pool.get("network_interfaces"):
        annotations = _interfaces(pool["network_interfaces"])
    return Placement(limits, dict(pool["node_selector"]), _tolerations(pool), annotations)


def queued(pool: Mapping[str, Any], request: str) -> Placement:
    """The placement of a Pod on nodes that a ProvisioningRequest of this name gets from the pool's queue
    (GKE, "Run large-scale workloads with flex-start with queued provisioning").

    Raises ValueError where the pool has no capacity of type `queued`.
    """
    if not any(group.get("capacity") == "queued" for group in pool["node_groups"]):
        raise ValueError(f"pool {pool['name']!r} has no capacity of type 'queued'")
    whole = of(pool)
    slice_ = {key: value for key, value in whole.node_selector.items() if key in TPU_SLICE}
    return Placement(
        whole.limits,
        {POOL: str(pool["name"]), CAPACITY: "queued", **slice_},
        [*whole.tolerations, {"key": QUEUED, "operator": "Equal", "value": "true", "effect": "NoSchedule"}],
        {**whole.annotations, CONSUME: request, CLASS_NAME: QUEUED_CLASS},
    )


def _tolerations(pool: Mapping[str, Any]) -> list[Toleration]:
    return [
        {
            "key": str(taint["key"]),
            "operator": "Equal",
            "value": str(taint.get("value") or ""),
            "effect": str(taint["effect"]),
        }
        for taint in pool["taints"]
    ]


def _interfaces(networks: list[str]) -> dict[str, str]:
    """All interfaces of a node for one Pod ("Set up multi-network support for Pods")."""
    attached = [{"interfaceName": "eth0", "network": "default"}]
    attached += [
        {"interfaceName": f"eth{number}", "network": name} for number, name in enumerate(networks, start=1)
    ]
    return {DEFAULT_INTERFACE: "eth0", INTERFACES: json.dumps(attached)}

"""Scheduling of a workload's Pods on the nodes of a pool, on every cloud: pure functions of a pool's outputs.

    on_train = placement.of(foundation.gpu_pools["train"])
    core.PodSpecArgs(
        node_selector=on_train.node_selector, tolerations=on_train.tolerations,
        containers=[core.ContainerArgs(..., resources={"limits": on_train.limits})],
    )

For Pods that communicate over the network of the accelerators (EFA, GPUDirect), `template` adds what it needs
to a whole template: `on_train.template({"spec": {...}})`.

It covers the differences between the clouds: EKS's nodes have the taint `nvidia.com/gpu=true`, GKE's have
`nvidia.com/gpu=present` and that of a ComputeClass, which Pods must select so that GKE tries the entries of
`capacity` in their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict, cast

from aiplatform._shared.kubernetes.node_labels import CAPACITY, POOL, TPU_SLICE
from aiplatform._shared.kubernetes.pod_fabric import mapping, with_fabric
from aiplatform.accelerators.fabric import EFA, network_annotations

QUEUED: Final = "cloud.google.com/gke-queued"
"""GKE's taint on nodes of a ProvisioningRequest."""
CONSUME: Final = "autoscaling.x-k8s.io/consume-provisioning-request"
CLASS_NAME: Final = "autoscaling.x-k8s.io/provisioning-class-name"
QUEUED_CLASS: Final = "queued-provisioning.gke.io"


class Toleration(TypedDict):
    """A toleration, in Kubernetes' form."""

    key: str
    operator: str
    value: str
    effect: str


@dataclass(frozen=True)
class Placement:
    """The fields of a Pod that runs on a pool's nodes only.

    limits: of the container that uses the accelerators; they are also its requests. requirements: what its
    network between accelerators needs, the pool's output `pod_requirements`; None where the Pod uses a part
    of a node, or nodes have no such network.
    """

    limits: Mapping[str, str]
    node_selector: Mapping[str, str]
    tolerations: list[Toleration]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    requirements: Mapping[str, Any] | None = None

    def pod(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return a Pod's spec (camelCase) with the placement: selector and tolerations are added to those of
        the spec, the limits to those of its first container."""
        main, *others = cast("list[dict[str, Any]]", spec["containers"])
        resources = dict(main.get("resources") or {})
        resources["limits"] = {**(resources.get("limits") or {}), **self.limits}
        return {
            **spec,
            "nodeSelector": {**(spec.get("nodeSelector") or {}), **self.node_selector},
            "tolerations": [*(spec.get("tolerations") or []), *self.tolerations],
            "containers": [{**main, "resources": resources}, *others],
        }

    def template(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """Return a template of Pods (`metadata` and `spec` in camelCase) with the placement and with what the
        network of its nodes needs: devices, annotations, volumes, variables, capabilities and a sidecar.

        Its first container uses the accelerators; what it states itself is kept. With GPUDirect RDMA its
        command runs after the script that sets NCCL's variables. Raises ValueError where it states no
        command there, or with EFA no memory.
        """
        metadata = mapping(template, "metadata")
        annotations = {**mapping(metadata, "annotations"), **self.annotations}
        placed: dict[str, Any] = {
            **template,
            "metadata": {**metadata, "annotations": annotations},
            "spec": self.pod(template["spec"]),
        }
        return placed if self.requirements is None else with_fabric(placed, self.requirements)


def of(pool: Mapping[str, Any], amount: int | None = None) -> Placement:
    """Return the placement of a Pod on a pool.

    pool: the outputs of a GpuPool or a NodePool, from the component or from an output of a stack. amount: the
    quantity of the pool's resource that the Pod uses. Default: all of a node, and with it the network
    interfaces for the accelerators. Raises ValueError where a node never has as much.
    """
    most = int(pool.get("resources_per_node") or 0)
    requested = most if amount is None else amount
    if not 0 <= requested <= most or (most and not requested):
        expected = f"1 to {most}" if most else "0"
        raise ValueError(
            f"amount: got {amount}, expected {expected}, the quantity of a node of {pool['name']!r}"
        )
    whole_node = requested == most
    limits = {str(pool["resource"]): str(requested)} if requested else {}
    annotations: dict[str, str] = {}
    if whole_node and pool.get("efa_interfaces"):
        limits[EFA] = str(pool["efa_interfaces"])
    if whole_node and pool.get("network_interfaces"):
        annotations = network_annotations(pool["network_interfaces"])
    requirements = pool.get("pod_requirements") if whole_node else None
    return Placement(limits, dict(pool["node_selector"]), _tolerations(pool), annotations, requirements)


def queued(pool: Mapping[str, Any], request: str) -> Placement:
    """Return the placement of a Pod on nodes of a ProvisioningRequest with this name, from the pool's queue
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
        whole.requirements,
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

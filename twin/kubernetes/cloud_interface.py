"""What the simulation around the control plane knows of a cloud: nodes, groups, add-ons, principals.

The simulation (nodes, autoscaler, device plugins, tokens, add-ons) is shared by AWS and Google Cloud; it asks
them through a `CloudView` (cloud_client.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Taint:
    """A node taint, with Kubernetes' own effect names (NoSchedule, PreferNoSchedule, NoExecute)."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True)
class Machine:
    """A virtual machine that should be a Node.

    capacity: Kubernetes quantities of what the kubelet alone reports (cpu, memory, pods,
    ephemeral-storage). Devices are not in it: `devices` says what a device plugin would find
    (`nvidia.com/gpu: 8`, `vpc.amazonaws.com/efa: 32`), `builtin_devices` what the machine image itself
    advertises. kubelet_version, os_image: as the kubelet reports them; empty: the control plane's, and none.
    network_rights: whether the cloud's own network plugin may attach network interfaces to it.
    """

    name: str
    provider_id: str
    labels: Mapping[str, str]
    taints: Sequence[Taint]
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    devices: Mapping[str, int] = field(default_factory=dict[str, int])
    builtin_devices: Mapping[str, int] = field(default_factory=dict[str, int])
    group: str = ""
    internal_ip: str = "10.0.0.1"
    instance_type: str = ""
    kubelet_version: str = ""
    os_image: str = ""
    network_rights: bool = True


@dataclass(frozen=True)
class Group:
    """A group of equal machines that can grow: on AWS the Auto Scaling group of a managed node group, on
    Google Cloud the managed instance group of a node pool in one zone.

    name: the group's name. minimum, maximum, desired: numbers of machines.
    template: the machine that it would make next (labels, taints, capacity; devices by its type).
    tags: the group's own tags (autoscaler discovery, node-template overrides).
    node_group: the managed node group or node pool that it is of.

    For the autoscaler that a cloud has built in: built_in: it may resize the group. total_minimum,
    total_maximum: of all groups of the node pool together, 0: none. queued: it grows for
    ProvisioningRequests only. flex_start, spot: how its machines are bought. location_policy: BALANCED over
    the zones, or ANY. exact_template: the template's allocatable is what a node will have.
    """

    name: str
    minimum: int
    maximum: int
    desired: int
    template: Machine
    tags: Mapping[str, str]
    node_group: str = ""
    built_in: bool = False
    total_minimum: int = 0
    total_maximum: int = 0
    queued: bool = False
    flex_start: bool = False
    spot: bool = False
    location_policy: str = ""
    exact_template: bool = False


@dataclass(frozen=True)
class Cluster:
    """The cluster that owns the control plane. status is the cloud's word: CREATING, ACTIVE, DELETING...

    uid: distinguishes a cluster from an earlier one of the same name (its ARN and creation time).
    service_cidr: where Services get their addresses; empty: the control plane's default.
    issuer: the `iss` of service account tokens; empty: the control plane's default.
    self_managed_addons: the cloud puts its network add-ons in unmanaged (EKS: bootstrapSelfManagedAddons).
    """

    name: str
    status: str
    version: str
    uid: str = ""
    service_cidr: str = ""
    issuer: str = ""
    self_managed_addons: bool = False


@dataclass(frozen=True)
class Addon:
    """An add-on of the managed cluster (vpc-cni, coredns...) as asked for."""

    name: str
    version: str
    status: str
    configuration: Mapping[str, Any]
    service_account_role: str = ""


@dataclass(frozen=True)
class Principal:
    """Who a token belongs to, as the API server should see it.

    policies: access policies as (name, namespaces); no namespaces means the whole cluster.
    """

    username: str
    groups: Sequence[str]
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    policies: Sequence[tuple[str, tuple[str, ...]]] = ()


class InsufficientCapacity(Exception):  # noqa: N818 - the cloud's own term
    """The cloud has no such machine now."""

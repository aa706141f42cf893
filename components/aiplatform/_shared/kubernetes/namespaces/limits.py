"""Default requests of containers, and what all Pods of a namespace may request together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

Metadata = Callable[[str], meta.ObjectMetaArgs]
"""Name -> metadata of an object in the namespace."""

_NAME: Final = "namespace"


@dataclass(frozen=True)
class Quota:
    """Limits of a namespace. Accelerators are not among them: their quota is Kueue's, where workloads wait
    for it, while a Pod above a ResourceQuota is refused."""

    pods: Input[int] = 500
    """Pods that are not finished, also those that wait for quota or a node."""
    cpu: Input[str] | None = None
    """Sum of the requests of CPU (`64`). None: no limit."""
    memory: Input[str] | None = None
    """Sum of the requests of memory (`256Gi`). None: no limit."""
    volumes: Input[int] = 100
    """PersistentVolumeClaims."""
    storage: Input[str] | None = None
    """Sum of the sizes of volumes (`2Ti`). None: no limit."""
    load_balancers: Input[int] = 0
    """Services of type LoadBalancer, each of which is a load balancer of the cloud. They need
    `allocateLoadBalancerNodePorts: false`, as a namespace has no node ports."""
    default_cpu: Input[str] = "100m"
    """Request of a container that states none."""
    default_memory: Input[str] = "256Mi"
    """Request of a container that states none."""


def hard_limits(quota: Quota) -> dict[str, Input[str]]:
    """Return the limits by the names of a ResourceQuota."""
    limits: dict[str, Input[str] | None] = {
        "pods": pulumi.Output.from_input(quota.pods).apply(str),
        "persistentvolumeclaims": pulumi.Output.from_input(quota.volumes).apply(str),
        "services.loadbalancers": pulumi.Output.from_input(quota.load_balancers).apply(str),
        # A port on every node bypasses network policies and load balancers.
        "services.nodeports": "0",
        "requests.cpu": quota.cpu,
        "requests.memory": quota.memory,
        "requests.storage": quota.storage,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def create(name: str, metadata: Metadata, quota: Quota, options: ResourceOptions) -> list[pulumi.Resource]:
    """Create the LimitRange and the ResourceQuota."""
    return [
        core.LimitRange(
            f"{name}-defaults",
            metadata=metadata(_NAME),
            spec=core.LimitRangeSpecArgs(
                limits=[
                    core.LimitRangeItemArgs(
                        type="Container",
                        # Requests only: a default limit would refuse a container that requests more than it.
                        default_request={"cpu": quota.default_cpu, "memory": quota.default_memory},
                    )
                ]
            ),
            opts=options,
        ),
        core.ResourceQuota(
            f"{name}-quota",
            metadata=metadata(_NAME),
            spec=core.ResourceQuotaSpecArgs(hard=hard_limits(quota)),
            opts=options,
        ),
    ]

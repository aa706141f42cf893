"""What Pods of the platform request that run all the time on nodes of pools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.estimate.resources import Resources, at, mappings

TYPES: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
ALLOCATABLE: Final = 0.8
"""The part of a node that Pods of the platform get: the rest is the system's and of DaemonSets."""
_UNITS: Final = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
_QUANTITY: Final = re.compile(r"(?P<number>[0-9.]+)(?P<unit>[a-zA-Z]*)")
GIB: Final = 2**30


@dataclass(frozen=True)
class Requested:
    """Requests of Pods."""

    pods: int
    cpu: float
    memory_gib: float


def requested(resources: Resources, system_taints: frozenset[str]) -> Requested:
    """Return the requests of all Pods of Deployments and StatefulSets that system nodes refuse, and that name
    no pool."""
    pods, cpu, memory = 0, 0.0, 0.0
    for resource in resources.of(*TYPES):
        spec = resource.get("spec.template.spec", {})
        tolerated = {toleration.get("key") for toleration in mappings(spec.get("tolerations"))}
        if (system_taints and system_taints <= tolerated) or spec.get("nodeSelector"):
            continue
        replicas = int(resource.get("spec.replicas", 1))
        sidecars = [
            container
            for container in mappings(spec.get("initContainers"))
            if container.get("restartPolicy") == "Always"
        ]
        for container in [*mappings(spec.get("containers")), *sidecars]:
            cpu += replicas * quantity(_request(container, "cpu"))
            memory += replicas * quantity(_request(container, "memory")) / GIB
        pods += replicas
    return Requested(pods, cpu, memory)


def share_of_node(requested: Requested, vcpus: int, memory_gib: float) -> float:
    """Return how many nodes of a size the requests fill; one where the size is unknown."""
    if not vcpus or not memory_gib:
        return 1.0
    return max(requested.cpu / (vcpus * ALLOCATABLE), requested.memory_gib / (memory_gib * ALLOCATABLE))


def _request(container: Mapping[str, Any], resource: str) -> Any:
    # A request that is not stated is the limit.
    return at(container, f"resources.requests.{resource}", at(container, f"resources.limits.{resource}", 0))


def quantity(value: Any) -> float:
    """Return a quantity of Kubernetes as a number: 0.5 of `500m`; 0 where it is none."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None or match["unit"] not in _UNITS:
        return 0.0
    return float(match["number"]) * _UNITS[match["unit"]]

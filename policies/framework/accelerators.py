"""The accelerators of machine types on both clouds, and the resource types that request machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .properties import Deferred, Entry
from .resource import Resource

_AWS: Final = {
    "p3": "v100",
    "p3dn": "v100",
    "p4d": "a100",
    "p4de": "a100-80",
    "p5": "h100",
    "p5e": "h200",
    "p5en": "h200",
    "p6-b200": "b200",
    "p6-b300": "b300",
    "g4dn": "t4",
    "g5": "a10g",
    "g5g": "t4g",
    "g6": "l4",
    "gr6": "l4",
    "g6e": "l40s",
    "inf1": "inferentia",
    "inf2": "inferentia2",
    "trn1": "trainium",
    "trn1n": "trainium",
    "trn2": "trainium2",
}
"""Family of an EC2 instance type -> its accelerator."""
_GOOGLE: Final = {
    "a2-highgpu": "a100",
    "a2-megagpu": "a100",
    "a2-ultragpu": "a100-80",
    "a3-edgegpu": "h100",
    "a3-highgpu": "h100",
    "a3-megagpu": "h100-mega",
    "a3-ultragpu": "h200",
    "a4-highgpu": "b200",
    "a4x-highgpu": "gb200",
    "g2-standard": "l4",
    "ct4p": "tpu-v4",
    "ct5l": "tpu-v5e",
    "ct5lp": "tpu-v5e",
    "ct5p": "tpu-v5p",
    "ct6e": "tpu-v6e",
}
"""Beginning of a Compute Engine machine type -> its accelerator."""
_GOOGLE_ATTACHED: Final = {
    "nvidia-tesla-t4": "t4",
    "nvidia-tesla-v100": "v100",
    "nvidia-tesla-p100": "p100",
    "nvidia-tesla-p4": "p4",
    "nvidia-tesla-a100": "a100",
    "nvidia-a100-80gb": "a100-80",
    "nvidia-l4": "l4",
    "nvidia-h100-80gb": "h100",
    "nvidia-h100-mega-80gb": "h100-mega",
    "nvidia-h200-141gb": "h200",
    "nvidia-b200": "b200",
}
"""Type of an attached accelerator -> its name without the vendor."""

POOLS: Final = ("aws:eks/nodeGroup:NodeGroup", "gcp:container/nodePool:NodePool")
"""Node pools."""
MACHINES: Final = (
    *POOLS,
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/instance:Instance",
    "aws:sagemaker/notebookInstance:NotebookInstance",
    "gcp:container/cluster:Cluster",
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
)
"""The resource types that request machines of a type."""
_TYPES: Final = ("instanceType", "machineType", "nodeConfig.machineType")
_ATTACHED: Final = ("guestAccelerators", "nodeConfig.guestAccelerators")


def accelerator(machine: str) -> str | None:
    """Return the accelerator of a machine type of either cloud; None where it has none, or is not listed."""
    family = machine.removeprefix("ml.").partition(".")[0]
    machine_type = machine.rsplit("/", 1)[-1]
    stem = "-".join(machine_type.split("-")[:2])
    return _AWS.get(family) or _GOOGLE.get(stem) or _GOOGLE.get(machine_type.partition("-")[0])


@dataclass(frozen=True)
class Accelerator:
    """An accelerator of a resource's machines."""

    path: str
    """The property path that requests it."""
    name: str


def accelerators(resource: Resource) -> Iterator[Accelerator | Deferred]:
    """Yield the accelerators that a resource's machines have; Deferred where one is unknown."""
    for candidates, name_of in (
        (_machine_types(resource), accelerator),
        (_attached(resource), _attached_name),
    ):
        for candidate in candidates:
            try:
                if isinstance(candidate, Deferred):
                    raise candidate
                value = candidate.known()
                name = name_of(value) if isinstance(value, str) else None
                if name is not None:
                    yield Accelerator(candidate.path, name)
            except Deferred as deferred:
                yield deferred


def may_have_accelerators(resource: Resource) -> bool:
    """Return whether a resource's machines have accelerators, or may have: their type is unknown."""
    return any(True for _ in accelerators(resource))


def _machine_types(resource: Resource) -> Iterator[Entry | Deferred]:
    yield from _entries(resource, "instanceTypes")
    for path in _TYPES:
        yield Entry(path, resource.raw(path))


def _attached(resource: Resource) -> Iterator[Entry | Deferred]:
    for path in _ATTACHED:
        for entry in _entries(resource, path):
            yield entry if isinstance(entry, Deferred) else Entry(f"{entry.path}.type", entry.raw("type"))


def _attached_name(kind: str) -> str:
    kind = kind.rsplit("/", 1)[-1]
    return _GOOGLE_ATTACHED.get(kind, kind.removeprefix("nvidia-"))


def _entries(resource: Resource, path: str) -> Iterator[Entry | Deferred]:
    try:
        yield from resource.entries(path)
    except Deferred as deferred:
        yield deferred

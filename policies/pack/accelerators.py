"""Which accelerator a machine has, on both clouds, and the resources that ask for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .resource import Resource
from .values import UNKNOWN

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
"""Family of an EC2 instance type -> what is in it."""
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
"""Beginning of a Compute Engine machine type -> what is in it."""
_GOOGLE_CARDS: Final = {
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
"""Name of a card that is attached -> the same without its maker."""

POOLS: Final = ("aws:eks/nodeGroup:NodeGroup", "gcp:container/nodePool:NodePool")
"""Pools of a cluster's nodes."""
MACHINES: Final = (
    *POOLS,
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/instance:Instance",
    "aws:sagemaker/notebookInstance:NotebookInstance",
    "gcp:container/cluster:Cluster",
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
)
"""All that ask for machines of a type."""
_TYPES: Final = ("instanceType", "machineType", "nodeConfig.machineType")
_ATTACHED: Final = ("guestAccelerators", "nodeConfig.guestAccelerators")


def accelerator(machine: str) -> str | None:
    """What is in a machine type of either cloud; None where nothing is, or nobody has heard of it."""
    family = machine.removeprefix("ml.").partition(".")[0]
    beginning = machine.rsplit("/", 1)[-1]
    stem = "-".join(beginning.split("-")[:2])
    return _AWS.get(family) or _GOOGLE.get(stem) or _GOOGLE.get(beginning.partition("-")[0])


def accelerators(resource: Resource) -> Iterator[tuple[str, Any]]:
    """(property path, accelerator) of what a resource's machines have; UNKNOWN where that is not known."""
    if resource.get("instanceTypes") is UNKNOWN:
        yield "instanceTypes", UNKNOWN
    typed = [path for path, _ in resource.items("instanceTypes")]
    for path in (*typed, *_TYPES):
        value = resource.get(path)
        if value is UNKNOWN:
            yield path, UNKNOWN
        elif isinstance(value, str) and (found := accelerator(value)):
            yield path, found
    for path in (path for attached in _ATTACHED for path, _ in resource.items(attached)):
        kind = resource.get(f"{path}.type")
        if isinstance(kind, str):
            kind = kind.rsplit("/", 1)[-1]
            kind = _GOOGLE_CARDS.get(kind, kind.removeprefix("nvidia-"))
        if kind is not None:
            yield f"{path}.type", kind

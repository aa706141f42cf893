"""vCPUs and memory of machines without accelerators, by their names.

Sources: "Amazon EC2 instance type naming conventions" and the specifications of the families C, M and R;
"General-purpose machine family" and its like of Compute Engine. Types whose name does not state their size
(metal, burstable, storage) are not known.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

UNKNOWN: Final = (0, 0.0)

_AWS: Final = re.compile(
    r"(?P<family>[cmr])(?P<generation>\d)[a-z]*(-flex)?\.(?P<times>\d*)(?P<size>x?large)"
)
_AWS_GIB_PER_VCPU: Final[Mapping[str, int]] = {"c": 2, "m": 4, "r": 8}
_AWS_OTHERWISE: Final = ("c5n.",)
"""Types of these families with another ratio."""
_FIRST_GENERATION: Final = 5
"""Earlier generations have other ratios."""

_GOOGLE: Final = re.compile(r"(?P<family>[a-z]+\d[a-z]?)-(?P<ratio>standard|highmem|highcpu)-(?P<vcpus>\d+)")
_GOOGLE_GIB_PER_VCPU: Final[Mapping[str, Mapping[str, float]]] = {
    "c2": {"standard": 4},
    "c2d": {"standard": 4, "highmem": 8, "highcpu": 2},
    "c3": {"standard": 4, "highmem": 8, "highcpu": 2},
    "c3d": {"standard": 4, "highmem": 8, "highcpu": 2},
    "c4": {"standard": 3.75, "highmem": 7.75, "highcpu": 2},
    "c4a": {"standard": 4, "highmem": 8, "highcpu": 2},
    "e2": {"standard": 4, "highmem": 8, "highcpu": 1},
    "n1": {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9},
    "n2": {"standard": 4, "highmem": 8, "highcpu": 1},
    "n2d": {"standard": 4, "highmem": 8, "highcpu": 1},
    "n4": {"standard": 4, "highmem": 8, "highcpu": 2},
    "t2a": {"standard": 4},
    "t2d": {"standard": 4},
}


def machine_size(instance_type: str) -> tuple[int, float]:
    """Return vCPUs and memory in GiB of a type; UNKNOWN where the name does not state them."""
    aws = _AWS.fullmatch(instance_type)
    if aws and int(aws["generation"]) >= _FIRST_GENERATION and not instance_type.startswith(_AWS_OTHERWISE):
        vcpus = 2 if aws["size"] == "large" else 4 * int(aws["times"] or 1)
        return vcpus, float(vcpus * _AWS_GIB_PER_VCPU[aws["family"]])
    google = _GOOGLE.fullmatch(instance_type)
    ratio = _GOOGLE_GIB_PER_VCPU.get(google["family"], {}).get(google["ratio"]) if google else None
    if google is None or ratio is None:
        return UNKNOWN
    return int(google["vcpus"]), float(google["vcpus"]) * ratio


def smallest_size(instance_types: Iterable[str]) -> tuple[int, float]:
    """Return the least vCPUs and the least memory of types; UNKNOWN where one of them is."""
    sizes = [machine_size(name) for name in instance_types]
    if UNKNOWN in sizes or not sizes:
        return UNKNOWN
    return min(vcpus for vcpus, _ in sizes), min(memory for _, memory in sizes)

"""Machine types of Compute Engine for CPU nodes, and their boot disks."""

import re
from typing import Final

from aiplatform.accelerators.gcp import BUILT_IN

_TYPE: Final = re.compile(r"[a-z]+(\d+)[a-z]*(-[a-z0-9]+)+")
_ALWAYS_WITH_SSDS: Final = re.compile(r"z\d+[a-z]*")
"""Storage-optimized families, which always have local SSDs ("Storage-optimized machine family")."""
_FIRST_WITHOUT_PERSISTENT_DISK: Final = 4


def cpu_machine_type(value: str) -> str | None:
    """A rule: a machine type that a CPU node pool can have.

    Types with local SSDs are refused: GKE sets how the nodes use them, but the property is not computed in
    the provider's schema, so that the provider replaces the pool at every update
    (hashicorp/terraform-provider-google#17068).
    """
    if not _TYPE.fullmatch(value):
        return "expected a machine type such as n2-standard-8"
    family = value.partition("-")[0]
    built_in = BUILT_IN.get(family)
    if built_in is not None:
        return f"which has {built_in}; expected a type without accelerators, or a GPU pool"
    if value.endswith("lssd") or _ALWAYS_WITH_SSDS.fullmatch(family):
        without = value.removesuffix("-lssd")
        instead = f" such as {without}" if without != value else ""
        return (
            "which has local SSDs, so that the provider would replace the node pool at every update; "
            f"expected a type without local SSDs{instead}"
        )
    return None


def boot_disk(machine_type: str) -> str:
    """Return the type of a CPU machine's boot disk. Series of the fourth generation and newer support no
    Persistent Disk (AttachedDiskInitializeParams.diskType in Compute Engine's API reference; "Persistent
    Disk: machine series support")."""
    generation = _TYPE.fullmatch(machine_type)
    newer = generation is not None and int(generation.group(1)) >= _FIRST_WITHOUT_PERSISTENT_DISK
    return "hyperdisk-balanced" if newer else "pd-balanced"

"""Machine types of Compute Engine for CPU nodes: which a node pool can have, and what they boot from."""

import re
from typing import Final

from aiplatform.accelerators import gcp as accelerated

_TYPE: Final = re.compile(r"[a-z]+(\d+)[a-z]*(-[a-z0-9]+)+")
_ALWAYS_WITH_SSDS: Final = re.compile(r"z\d+[a-z]*")
"""Storage-optimized families, which always come with local SSDs ("Storage-optimized machine family")."""
_FIRST_WITHOUT_PERSISTENT_DISK: Final = 4


def cpu_machine_type(value: str) -> str | None:
    """A rule: a machine type that a CPU node pool can have.

    Types that come with local SSDs are refused: GKE fills in how the nodes use them, and the provider, whose
    schema does not call that computed, replaces the pool at every update
    (hashicorp/terraform-provider-google#17068).
    """
    if not _TYPE.fullmatch(value):
        return "expected a machine type such as n2-standard-8"
    family = value.partition("-")[0]
    built_in = accelerated.BUILT_IN.get(family)
    if built_in is not None:
        return f"which comes with {built_in}: expected a type without, or a GPU pool"
    if value.endswith("lssd") or _ALWAYS_WITH_SSDS.fullmatch(family):
        without = value.removesuffix("-lssd")
        instead = f" such as {without}" if without != value else ""
        return (
            f"which comes with local SSDs: expected a type without{instead}; the provider would replace the "
            "node pool at every update"
        )
    return None


def boot_disk(machine_type: str) -> str:
    """The disk type that a CPU machine boots from. Series of the fourth generation and newer take no
    Persistent Disk (AttachedDiskInitializeParams.diskType in Compute Engine's API reference; "Persistent
    Disk: machine series support")."""
    generation = _TYPE.fullmatch(machine_type)
    newer = generation is not None and int(generation.group(1)) >= _FIRST_WITHOUT_PERSISTENT_DISK
    return "hyperdisk-balanced" if newer else "pd-balanced"

"""Which machines Google Cloud offers where: recorded facts, for the regions that the twin knows.

Sources. Machine types, their vCPU and memory, and the zones that offer them: the machine-type list of the
Compute API as the SkyPilot catalog records it (skypilot-org/skypilot-catalog, catalogs/v8/gcp/vms.csv, commit
006059e, 2026). TPU zones: "TPU regions and zones" (docs.cloud.google.com/tpu/docs/types-zones, 2026), only
those that take new requests. Local SSDs and the cards of a machine type: "Accelerator-optimized machine
family", "About Local SSD disks", "GPU machine types" of the Compute Engine documentation.
Not verified: that n1 is offered in each zone but us-east5 and us-south1, n2 in each zone; the memory of
ct6e-standard-1t. What is not recorded is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services

_TABLES: Final = services.tables("compute")
ZONES: Final[Mapping[str, str]] = _TABLES["zones"]
SIZES: Final[Mapping[str, tuple[Any, ...]]] = _TABLES["sizes"]
SHARED_CORE: Final[Mapping[str, float]] = _TABLES["shared_core"]
CPU_ZONES: Final[Mapping[str, str]] = _TABLES["cpu_zones"]
LOCAL_SSDS: Final[Mapping[str, Mapping[str, int]]] = _TABLES["local_ssds"]
ACCELERATED: Final[Mapping[str, tuple[Any, ...]]] = _TABLES["accelerated"]
ACCELERATED_ZONES: Final[Mapping[str, str]] = _TABLES["accelerated_zones"]
ATTACHABLE: Final[Mapping[str, Mapping[str, Any]]] = _TABLES["attachable"]
HYPERDISK_ONLY: Final[tuple[str, ...]] = _TABLES["hyperdisk_only"]
NO_HYPERDISK_BALANCED: Final[tuple[str, ...]] = _TABLES["no_hyperdisk_balanced"]

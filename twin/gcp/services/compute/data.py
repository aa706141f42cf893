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

ZONES: Final[Mapping[str, str]] = services.tables("compute")["zones"]

EVERYWHERE: Final = " ".join(f"{region}:{letters}" for region, letters in ZONES.items())

SIZES: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["sizes"]

SHARED_CORE: Final = {"e2-micro": 1.0, "e2-small": 2.0, "e2-medium": 4.0}
"""Name to GB; each shows two vCPUs."""

CPU_ZONES: Final = {
    "e2": EVERYWHERE,
    "n1": " ".join(
        f"{region}:{letters}" for region, letters in ZONES.items() if region not in {"us-east5", "us-south1"}
    ),
    "n2": EVERYWHERE,
    "n2d": EVERYWHERE,
    "n4": EVERYWHERE,
    "c2": EVERYWHERE.replace(" us-south1:abc", ""),
    "c3": (
        "asia-northeast1:bc asia-south1:bc asia-southeast1:abc europe-west1:bcd europe-west2:abc "
        "europe-west3:abc europe-west4:abc us-central1:abcf us-east1:bcd us-east4:abc us-east5:abc "
        "us-south1:abc us-west1:abc us-west2:abc us-west3:abc us-west4:ac"
    ),
    "c3-lssd": (
        "asia-northeast1:b asia-south1:abc asia-southeast1:abc europe-west1:bcd europe-west3:abc "
        "europe-west4:abc us-central1:abc us-east1:bcd us-east4:abc us-east5:c us-south1:ab us-west1:ab "
        "us-west4:ab"
    ),
    "c3d": (
        "asia-east1:abc asia-south1:abc asia-southeast1:abc europe-west1:bcd europe-west3:ab "
        "europe-west4:abc us-central1:abcf us-east1:bcd us-east4:abc us-east5:abc us-west1:abc us-west4:ab"
    ),
    "t2d": EVERYWHERE,
}
"""Series to where it is offered."""

LSSD: Final = {
    "c3-standard": {4: 1, 8: 2, 22: 4, 44: 8, 88: 16, 176: 32},
}
"""Series with `-lssd` types: vCPUs to local SSDs that come with the machine (of 375 GiB each)."""

_A2 = (
    "asia-northeast1:ac asia-southeast1:abc europe-west4:ab us-central1:abcf us-east1:b us-west1:b "
    "us-west3:b us-west4:b"
)
_A2_ULTRA = "asia-southeast1:c europe-west4:a us-central1:ac us-east4:c us-east5:ab"
_A3 = (
    "asia-east1:c asia-northeast1:b asia-south1:c asia-southeast1:bc europe-west1:bc europe-west3:c "
    "europe-west4:bc us-central1:abc us-east4:abc us-east5:a us-west1:ab us-west4:a"
)
_A3_MEGA = _A3.replace(" asia-south1:c", "")
_A3_ULTRA = (
    "asia-south1:b europe-west1:b europe-west4:a us-central1:b us-east4:b us-east5:a us-south1:b us-west1:c"
)
_A4 = (
    "asia-northeast1:b asia-southeast1:b europe-west4:b us-central1:b us-east1:b us-east4:b us-south1:b "
    "us-west2:c us-west3:bc"
)
_G2 = (
    "asia-east1:abc asia-northeast1:abc asia-south1:abc asia-southeast1:abc europe-west1:bc europe-west2:ab "
    "europe-west3:ab europe-west4:abc us-central1:abc us-east1:bcd us-east4:ac us-west1:abc us-west4:ac"
)
_V5E = "europe-west4:b us-central1:a us-south1:a us-west1:c us-west4:a"
_V6E = "asia-northeast1:b europe-west4:a us-central1:b us-east1:d us-east5:ab"

ACCELERATED: Final = {
    # name: (vCPU, GB, card or TPU, how many of it, local SSDs that come with it, that may be added, zones)
    **{f"a2-highgpu-{n}g": (12 * n, 85.0 * n, "nvidia-tesla-a100", n, 0, 8, _A2) for n in (1, 2, 4, 8)},
    "a2-megagpu-16g": (
        96,
        1360.0,
        "nvidia-tesla-a100",
        16,
        0,
        8,
        "asia-southeast1:ac europe-west4:ab us-central1:abcf",
    ),
    **{
        f"a2-ultragpu-{n}g": (12 * n, 170.0 * n, "nvidia-a100-80gb", n, n, 0, _A2_ULTRA) for n in (1, 2, 4, 8)
    },
    **{f"a3-highgpu-{n}g": (26 * n, 234.0 * n, "nvidia-h100-80gb", n, 2 * n, 0, _A3) for n in (1, 2, 4, 8)},
    "a3-megagpu-8g": (208, 1872.0, "nvidia-h100-mega-80gb", 8, 16, 0, _A3_MEGA),
    "a3-ultragpu-8g": (224, 2952.0, "nvidia-h200-141gb", 8, 32, 0, _A3_ULTRA),
    "a4-highgpu-8g": (224, 3968.0, "nvidia-b200", 8, 32, 0, _A4),
    **{
        f"g2-standard-{cpus}": (cpus, 4.0 * cpus, "nvidia-l4", cards, 0, ssds, _G2)
        for cpus, cards, ssds in (
            (4, 1, 1),
            (8, 1, 1),
            (12, 1, 1),
            (16, 1, 1),
            (24, 2, 2),
            (32, 1, 1),
            (48, 4, 4),
            (96, 8, 8),
        )
    },
    "ct5lp-hightpu-1t": (24, 48.0, "tpu-v5-lite-podslice", 1, 0, 0, _V5E),
    "ct5lp-hightpu-4t": (112, 192.0, "tpu-v5-lite-podslice", 4, 0, 0, _V5E),
    "ct5lp-hightpu-8t": (224, 384.0, "tpu-v5-lite-podslice", 8, 0, 0, _V5E),
    "ct6e-standard-1t": (44, 176.0, "tpu-v6e-slice", 1, 0, 0, _V6E),
    "ct6e-standard-4t": (180, 720.0, "tpu-v6e-slice", 4, 0, 0, _V6E),
    "ct6e-standard-8t": (180, 1440.0, "tpu-v6e-slice", 8, 0, 0, _V6E),
}

ATTACHABLE: Final = {
    # card: (number to the most vCPUs of an N1 machine, zones)
    "nvidia-tesla-t4": (
        {1: 48, 2: 48, 4: 96},
        "asia-east1:ac asia-northeast1:ac asia-south1:ab asia-southeast1:abc europe-west1:bcd "
        "europe-west2:ab europe-west3:b europe-west4:abc us-central1:abcf us-east1:bcd us-east4:abc "
        "us-west1:ab us-west2:bc us-west3:b us-west4:ab",
    ),
    "nvidia-tesla-p4": (
        {1: 24, 2: 48, 4: 96},
        "asia-southeast1:abc europe-west4:bc us-central1:ac us-east4:abc us-west2:bc",
    ),
    "nvidia-tesla-p100": (
        {1: 16, 2: 32, 4: 64},
        "asia-east1:ac europe-west1:bd europe-west4:a us-central1:cf us-east1:bc us-west1:ab",
    ),
    "nvidia-tesla-v100": (
        {1: 12, 2: 24, 4: 48, 8: 96},
        "asia-east1:c europe-west4:abc us-central1:abcf us-east1:bc us-west1:ab",
    ),
}
"""Cards that are attached to N1 machines, and to those alone."""

HYPERDISK_ONLY: Final = ("n4-", "a3-ultragpu-", "a4-", "ct6e-")
"""Machine types without Persistent Disk: their boot disk is a Hyperdisk."""

NO_HYPERDISK_BALANCED: Final = ("e2-", "n1-", "n2-", "n2d-", "t2d-", "c2-", "a2-", "g2-", "ct5lp-")
"""Machine types whose boot disk cannot be a Hyperdisk Balanced."""

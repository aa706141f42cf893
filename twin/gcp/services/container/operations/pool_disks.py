"""A node's disks and image: boot disk, local SSDs, image type, and what goes only with some of them.

Sources: "About local ephemeral storage", "Machine type disk support" of Compute Engine, "Node images".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import references, versions

if TYPE_CHECKING:
    from twin.gcp.services.container.operations.pool_rules import RequestedPool

DISK_TYPES: Final[tuple[str, ...]] = services.tables("container")["disk_types"]
SMALLEST: Final = 12
"""GiB that the node image needs."""
ADDED: Final = (1, 2, 3, 4, 5, 6, 7, 8, 16, 24)
"""Numbers of local SSDs that first and second generation machines take."""


def check(requested: RequestedPool) -> None:
    """All rules over disks and image."""
    _boot(requested)
    _image(requested)
    _local(requested)


def _boot(requested: RequestedPool) -> None:
    config, where = requested.config, f"{requested.path}.config"
    disk = config["diskType"]
    if disk not in DISK_TYPES:
        raise invalid(f'{where}.diskType: Disk type "{disk}" does not exist; one of {", ".join(DISK_TYPES)}.')
    if not capacity.takes_disk(requested.machine.name, disk):
        raise invalid(
            f"{where}.diskType: [{requested.machine.name}, {disk}] features are not compatible for creating "
            "instance."
        )
    size = int(config["diskSizeGb"])
    if not SMALLEST <= size <= 65_536:
        raise invalid(f"{where}.diskSizeGb: must be from {SMALLEST} to 65536, got {size}.")
    if config.get("bootDiskKmsKey"):
        agent = references.compute_agent(requested.call.project_number)
        references.kms_key(
            requested.call, config["bootDiskKmsKey"], requested.place.region, agent, f"{where}.bootDiskKmsKey"
        )


def _image(requested: RequestedPool) -> None:
    config, where = requested.config, f"{requested.path}.config"
    image = config["imageType"].upper()
    if image not in versions.IMAGE_TYPES:
        raise invalid(
            f'{where}.imageType: Image type "{config["imageType"]}" is not supported; '
            f"one of {', '.join(versions.IMAGE_TYPES)}."
        )
    cos = image == "COS_CONTAINERD"
    if (config.get("gcfsConfig") or {}).get("enabled") and not cos:
        raise invalid(
            f"{where}.gcfsConfig: image streaming needs the image type COS_CONTAINERD, got {image}."
        )
    gvnic = (config.get("gvnic") or {}).get("enabled")
    if (config.get("fastSocket") or {}).get("enabled") and not (gvnic and cos and requested.machine.gpu):
        raise invalid(f"{where}.fastSocket: NCCL Fast Socket needs gVNIC, COS_CONTAINERD and GPUs.")
    if requested.machine.tpu and not cos:
        raise invalid(f"{where}.imageType: TPU node pools need COS_CONTAINERD, got {image}.")
    if gvnic is False and requested.machine.name.startswith(("a3-", "a4-", "c3-", "c3d-", "n4-", "ct")):
        raise invalid(
            f"{where}.gvnic: machine type {requested.machine.name} needs gVNIC; it cannot be disabled."
        )


def _local(requested: RequestedPool) -> None:
    config, where = requested.config, f"{requested.path}.config"
    disk_counts: dict[str, int] = {}
    for name in ("ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig"):
        part: dict[str, Any] | None = config.get(name)
        if part is not None:
            disk_counts[name] = int(part.get("localSsdCount") or 0)
    if config.get("localSsdCount"):
        disk_counts["localSsdCount"] = int(config["localSsdCount"])
    counts = {name: count for name, count in disk_counts.items() if count}
    if len(counts) > 1 or (len(disk_counts) > 1 and requested.machine.ssds):
        raise invalid(f"{where}: local SSDs can be used in one way only, got {', '.join(disk_counts)}.")
    for name, count in counts.items():
        _count(requested, f"{where}.{name}", count)


def _count(requested: RequestedPool, where: str, count: int) -> None:
    machine = requested.machine
    if machine.ssds:
        if count != machine.ssds:
            raise invalid(
                f"{where}: machine type {machine.name} comes with {machine.ssds} local SSDs: leave the "
                f"number out or give {machine.ssds}, got {count}."
            )
        return
    if count > machine.more_ssds or (count not in ADDED):
        most = machine.more_ssds or "none"
        raise invalid(f"{where}: machine type {machine.name} takes at most {most} local SSDs, got {count}.")

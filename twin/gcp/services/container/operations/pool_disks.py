"""A node's disks and image: boot disk, local SSDs, image type, and what goes only with some of them.

Sources: "About local ephemeral storage", "Machine type disk support" of Compute Engine, "Node images".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.services.compute import capacity
from twin.gcp.services.container.operations import references, versions

if TYPE_CHECKING:
    from twin.gcp.services.container.operations.pool_rules import RequestedPool

ADDED: Final = (1, 2, 3, 4, 5, 6, 7, 8, 16, 24)
"""Numbers of local SSDs that first and second generation machines take."""


def check(requested: RequestedPool) -> None:
    """All rules over disks and image."""
    _boot(requested)
    _local(requested)


def _boot(requested: RequestedPool) -> None:
    config, where = requested.config, f"{requested.path}.config"
    disk = config["diskType"]
    if not capacity.takes_disk(requested.machine.name, disk):
        raise invalid(
            f"{where}.diskType: [{requested.machine.name}, {disk}] features are not compatible for creating "
            "instance."
        )
    image = config["imageType"]
    if image not in versions.IMAGE_TYPES:
        raise invalid(
            f'{where}.imageType: Image type "{image}" is not supported; one of '
            f"{', '.join(versions.IMAGE_TYPES)}."
        )
    if config.get("bootDiskKmsKey"):
        agent = references.compute_agent(requested.call.project_number)
        references.kms_key(
            requested.call, config["bootDiskKmsKey"], requested.place.region, agent, f"{where}.bootDiskKmsKey"
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

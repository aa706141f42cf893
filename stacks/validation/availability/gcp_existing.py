"""What exists on Google Cloud already and the settings depend on: the cluster, some of whose properties
are fixed, and reservations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pulumi
from pulumi_gcp import compute, container

from aiplatform._shared.args import Problem, got
from aiplatform._shared.gcp.names import api_is_off, first_zones, is_zone
from aiplatform.cluster.args import GKE
from stacks import arguments, devices
from stacks.settings import CapacityEntry, GpuPool, Settings

_MOST_ZONES: Final = 4
"""The most zones that a region has."""
_NEW_CLUSTER: Final = "or a new environment.name, which creates another cluster"


def cluster_problems(
    settings: Settings, zones: Sequence[str], options: pulumi.InvokeOptions
) -> list[Problem]:
    """Return what would replace the cluster with all of its workloads: its location, and whether its Pods
    may have further network interfaces, are fixed when it is created."""
    zonal = settings.cluster.control_plane == "zonal"
    location = zones[0] if zonal else settings.environment.region
    cluster = _cluster(settings, location, options)
    if cluster is None:
        return _in_another_location(settings, location, options)
    if cluster.enable_multi_networking or not arguments.multi_networking(settings):
        return []
    reason = (
        f"needs multi-networking, and {cluster.name} was created without it; expected gpudirect: false, "
        f"{_NEW_CLUSTER}"
    )
    if settings.cluster.multi_networking:
        return [Problem("cluster.gke.multi_networking", f"got true, which {reason}")]
    return [
        Problem(f"gpu_pools.{name}.accelerator", f"{got(pool.accelerator)}, which {reason}")
        for name, pool in settings.gpu_pools.items()
        if devices.gpudirect(pool) is not None
    ]


def _in_another_location(settings: Settings, location: str, options: pulumi.InvokeOptions) -> list[Problem]:
    region = settings.environment.region
    for other in [region, *first_zones(region, _MOST_ZONES)]:
        cluster = _cluster(settings, other, options) if other != location else None
        if cluster is None:
            continue
        if is_zone(other) and is_zone(location):
            reason = f"got {location} first, but the control plane of {cluster.name} is in {other}"
            return [Problem("network.zone_ids", f"{reason}; expected {other} first, {_NEW_CLUSTER}")]
        created = "zonal" if is_zone(other) else "regional"
        stated = settings.cluster.control_plane
        reason = f"{got(stated)}, but {cluster.name} was created {created}, in {other}"
        return [Problem("cluster.gke.control_plane", f"{reason}; expected {created!r}, {_NEW_CLUSTER}")]
    return []


def _cluster(
    settings: Settings, location: str, options: pulumi.InvokeOptions
) -> container.GetClusterResult | None:
    try:
        return container.get_cluster(
            name=GKE.of(settings.environment.prefix),
            location=location,
            project=settings.environment.project_id,
            opts=options,
        )
    except Exception as error:
        if api_is_off(error) or _is_missing(error):
            return None
        raise


def reservation_problems(settings: Settings, options: pulumi.InvokeOptions) -> list[Problem]:
    """Return the reservations that this project does not have. Those of another project may not be
    readable."""
    project = settings.environment.project_id
    problems: list[Problem] = []
    for path, name, zone in _reservations(settings):
        try:
            compute.get_reservation(name=name, zone=zone, project=project, opts=options)
        except Exception as error:
            if not _is_missing(error):
                raise
            problems.append(
                Problem(
                    path,
                    f"{got(name)}, which {project} does not have in {zone}; expected one that `gcloud "
                    "compute "
                    "reservations list` prints",
                )
            )
    return problems


def _reservations(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield key, name and zone of the reservations that are stated by their name only."""
    for pool_name, pool in settings.gpu_pools.items():
        for index, entry in enumerate(pool.capacity):
            if not isinstance(entry, CapacityEntry) or entry.reservation_id is None:
                continue
            zone = entry.zone or _only_zone(pool)
            name = entry.reservation_id.partition("/reservationBlocks/")[0]
            if zone is not None and "/" not in name:
                yield f"gpu_pools.{pool_name}.capacity[{index}].reservation_id", name, zone


def _only_zone(pool: GpuPool) -> str | None:
    return pool.zones[0] if len(pool.zones) == 1 else None


def _is_missing(error: Exception) -> bool:
    return any(words in str(error) for words in ("not found", "notFound", "NOT_FOUND"))

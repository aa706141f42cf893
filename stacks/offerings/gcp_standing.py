"""What stands on Google Cloud already and the settings count on: the cluster, which can no longer become
another, and reservations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi
from pulumi_gcp import compute, container

from aiplatform._shared.args import got
from aiplatform._shared.gcp.names import api_is_off, first_zones, is_zone
from aiplatform.cluster.args import GKE
from stacks import arguments
from stacks.offerings.found import Found
from stacks.settings import CapacityEntry, GpuPool, Settings

_MOST_ZONES = 4


def of_the_cluster(settings: Settings, zones: Sequence[str], options: pulumi.InvokeOptions) -> list[Found]:
    """Where a cluster stands, and whether its Pods may have further network interfaces, is said when it is
    made: the engine would replace it, with all that runs there."""
    zonal = settings.cluster.control_plane == "zonal"
    location = zones[0] if zonal else settings.environment.region
    there = _cluster(settings, location, options)
    if there is None:
        return _elsewhere(settings, location, options)
    if there.enable_multi_networking or not arguments.multi_networking(settings):
        return []
    reason = (
        f"needs multi-networking, and {there.name} was made without it, which is for good: say gpudirect: "
        "false, or make a cluster anew (a new environment.name)"
    )
    if settings.cluster.multi_networking:
        return [("cluster.gke.multi_networking", f"got true, which {reason}")]
    return [
        (f"gpu_pools.{pool}.accelerator", f"{got(settings.gpu_pools[pool].accelerator)}, which {reason}")
        for pool in settings.gpu_pools
        if arguments.takes_gpudirect(settings.gpu_pools[pool])
    ]


def _elsewhere(settings: Settings, location: str, options: pulumi.InvokeOptions) -> list[Found]:
    region = settings.environment.region
    for other in [region, *first_zones(region, _MOST_ZONES)]:
        there = _cluster(settings, other, options) if other != location else None
        if there is None:
            continue
        anew = "; or make a cluster anew (a new environment.name)"
        if is_zone(other) and is_zone(location):
            reason = (
                f"the control plane of {there.name} stands in {other} for good: let it be the first{anew}"
            )
            return [("network.zone_ids", f"the first is {location}, but {reason}")]
        was = "zonal" if is_zone(other) else "regional"
        kind = settings.cluster.control_plane
        return [
            (
                "cluster.gke.control_plane",
                f"{got(kind)}, but {there.name} was made {was}, in {other}, which is for good: say {was}"
                f"{anew}",
            )
        ]
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


def of_reservations(settings: Settings, options: pulumi.InvokeOptions) -> list[Found]:
    """Reservations of this project that are not there. Of another project's it need not be let know."""
    found: list[Found] = []
    for topic, name, zone in _reserved(settings):
        try:
            compute.get_reservation(
                name=name, zone=zone, project=settings.environment.project_id, opts=options
            )
        except Exception as error:
            if not _is_missing(error):
                raise
            project = settings.environment.project_id
            reason = f"{got(name)}, which {project} has not in {zone}; `gcloud compute reservations list`"
            found.append((topic, f"{reason} tells those that it has"))
    return found


def _reserved(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Key, name and zone of the reservations that are said by name alone."""
    for pool, given in settings.gpu_pools.items():
        for index, entry in enumerate(given.capacity):
            if not isinstance(entry, CapacityEntry) or entry.reservation_id is None:
                continue
            zone = entry.zone or _only(given)
            name = entry.reservation_id.partition("/reservationBlocks/")[0]
            if zone is not None and "/" not in name:
                yield f"gpu_pools.{pool}.capacity[{index}].reservation_id", name, zone


def _only(pool: GpuPool) -> str | None:
    return pool.zones[0] if len(pool.zones) == 1 else None


def _is_missing(error: Exception) -> bool:
    return any(words in str(error) for words in ("not found", "notFound", "NOT_FOUND"))

"""What Google Cloud does not offer: the region, zones of it, and machine types in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import compute, projects

from aiplatform._shared.args import ArgumentError, Problem, got, nearest, read
from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.gcp.names import api_is_off, first_zones
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.gcp import plan as gcp_plan
from stacks import to_be
from stacks.offerings import gcp_quotas, gcp_standing, pools
from stacks.offerings.found import Found
from stacks.offerings.gcp_regions import REGIONS
from stacks.settings import Settings

FIRST_APIS: Final = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""What a project has switched on before the first `up`."""


def problems(settings: Settings, provider: pulumi.ProviderResource) -> list[Found]:
    """All that the cloud cannot give of what the settings ask for. Of a new project, whose APIs the program
    switches on itself, no more can be told than that there is no such region."""
    options = pulumi.InvokeOptions(provider=provider)
    environment = settings.environment
    locked = _of_its_services(environment.project_id, options)
    if locked:
        return locked
    try:
        answer = compute.get_zones(
            project=environment.project_id, region=environment.region, status="UP", opts=options
        )
    except Exception as error:
        if api_is_off(error):
            return _of_a_new_project(environment.region)
        unknown = _of_the_place(settings, options, error)
        if not unknown:
            raise
        return unknown
    if not answer.names:
        return _of_the_place(settings, options, LookupError("it has no zone that is up"))
    zones, found = _zones(settings, answer.names)
    if found:
        return found
    lacking, offered = _of_pools(settings, zones, options, found)
    standing = [
        *gcp_standing.of_the_cluster(settings, zones, options),
        *gcp_standing.of_reservations(settings, options),
    ]
    # What Compute Engine does not offer needs no quota.
    quotas = [] if lacking or offered is None else gcp_quotas.problems(settings, zones, offered, options)
    return [*lacking, *standing, *quotas]


def _of_its_services(project: str | None, options: pulumi.InvokeOptions) -> list[Found]:
    """Whether the project can switch on APIs at all. Every `projects.Service` asks Service Usage and Resource
    Manager in the project's own name: neither can be switched on by the program where one of them is off
    (hashicorp/terraform-provider-google#14174, #11435)."""
    try:
        projects.get_project_service(service=FIRST_APIS[0], project=project, opts=options)
    except Exception as error:  # noqa: BLE001 - any other refusal is reported by the questions that follow
        if api_is_off(error):
            apis = " ".join(FIRST_APIS)
            reason = (
                f"{got(project)}, in which {' or '.join(FIRST_APIS)} is switched off: without both the "
                f"program can switch on no API; run `gcloud services enable {apis} --project {project}` "
                "once, and wait some minutes"
            )
            return [("environment.project_id", reason)]
    return []


def _of_a_new_project(region: str) -> list[Found]:
    if region in REGIONS:
        return []
    there = nearest(region, REGIONS) or f"; it knows {', '.join(REGIONS)}."
    reason = f"{got(region)}, which is no region that this program knows{there}"
    return [
        (
            "environment.region",
            f"{reason} If it is new, switch on compute.googleapis.com to have Google asked",
        )
    ]


def _of_the_place(settings: Settings, options: pulumi.InvokeOptions, error: Exception) -> list[Found]:
    """What is wrong with a project or a region whose zones Compute Engine does not tell."""
    environment = settings.environment
    try:
        regions = compute.get_regions(project=environment.project_id, opts=options).names
    except Exception:  # noqa: BLE001 - the first refusal is the one to tell, whatever the second is
        told = " ".join(str(error).split()).partition(" returned an error: ")
        reason = f"{got(environment.project_id)}, of which Compute Engine tells nothing: {told[2] or told[0]}"
        return [("environment.project_id", reason)]
    if environment.region in regions:
        return []
    there = nearest(environment.region, regions) or f"; it has {', '.join(sorted(regions))}"
    return [("environment.region", f"{got(environment.region)}, which Google Cloud has not{there}")]


def _zones(settings: Settings, there: Sequence[str]) -> tuple[Sequence[str], list[Found]]:
    given = settings.network.zones
    wanted = first_zones(settings.environment.region, given) if isinstance(given, int) else given
    found = [
        (
            "network.zone_count" if isinstance(given, int) else f"network.zone_ids[{index}]",
            f"{got(zone)}, which {settings.environment.region} has not; it has {', '.join(sorted(there))}"
            + ("; list two or three of them" if isinstance(given, int) else ""),
        )
        for index, zone in enumerate(wanted)
        if zone not in there
    ]
    return wanted, found


def _of_pools(
    settings: Settings, zones: Sequence[str], options: pulumi.InvokeOptions, found: list[Found]
) -> tuple[list[Found], gke.Offerings | None]:
    """What pools cannot have, and what is offered, where that is known."""
    here = to_be.cluster_to_be(settings)
    asked = [_system_nodes(settings, zones), *pools.of(settings, zones, _gpus, found)]
    types = pools.types_of(asked)
    offered = gke.zones_that_offer(types, zones, read(ClusterReference, here, "Cluster"), options)
    if isinstance(offered, Output):
        return found, None
    return pools.judged(asked, offered, found), offered  # type: ignore[arg-type,return-value]


def _system_nodes(settings: Settings, zones: Sequence[str]) -> pools.Pool:
    type_, most = settings.cluster.system_nodes.instance_types[0], settings.cluster.system_nodes.max

    def judge(offered: gke.Offerings) -> None:
        # They stand in as many of the network's zones as there may be nodes.
        lacking = [zone for zone in zones[:most] if zone not in offered.get(type_, frozenset())]
        if lacking:
            reason = f"{got(type_)}, which {' and '.join(lacking)} of the network do not offer"
            raise ArgumentError([Problem("ClusterArgs.system_nodes.instance_types[0]", reason)])

    return pools.Pool("cluster", [type_], judge)


def _gpus(pool: GpuPoolSettings) -> tuple[Sequence[str], pools.Judge]:
    plans = gcp_plan.plan(pool)
    types = sorted({each.machine.type for each in plans})
    return types, partial(gcp_plan.zones_for, pool, plans)

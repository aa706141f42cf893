"""What Google Cloud does not offer: the region, zones of it, machine types in them, and quotas of the
project."""

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
from stacks.settings import Settings
from stacks.validation import placeholders
from stacks.validation.availability import gcp_existing, gcp_quotas, pools
from stacks.validation.availability.gcp_regions import REGIONS
from stacks.validation.availability.throttling import is_throttled

FIRST_APIS: Final = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""What a project has switched on before the first `up`."""


def problems(settings: Settings, provider: pulumi.ProviderResource) -> list[Problem]:
    """Return everything that the settings ask for and Google Cloud does not offer. A new project, whose
    APIs the program switches on itself, cannot be asked; then only the region is checked, and a warning lists
    what is not."""
    options = pulumi.InvokeOptions(provider=provider)
    environment = settings.environment
    disabled = _apis_that_are_off(environment.project_id, options)
    if disabled:
        return disabled
    try:
        answer = compute.get_zones(
            project=environment.project_id, region=environment.region, status="UP", opts=options
        )
    except Exception as error:
        if is_throttled(error):
            raise
        if api_is_off(error):
            return _region_in_new_project(environment.region) or _warn_of_new_project(settings)
        reasons = _project_or_region(settings, options, error)
        if not reasons:
            raise
        return reasons
    if not answer.names:
        return _project_or_region(settings, options, LookupError("it has no zone that is up"))
    zones, missing_zones = _zones(settings, answer.names)
    return missing_zones or _in_zones(settings, zones, options)


def _apis_that_are_off(project: str | None, options: pulumi.InvokeOptions) -> list[Problem]:
    """Return a problem if the project cannot switch on APIs. Every `projects.Service` calls Service Usage
    and Resource Manager with the project as the consumer: the program can switch on neither while one of
    them is off (hashicorp/terraform-provider-google#14174, #11435)."""
    try:
        projects.get_project_service(service=FIRST_APIS[0], project=project, opts=options)
    except Exception as error:  # noqa: BLE001 - any other error is reported by the calls that follow
        if api_is_off(error):
            reason = (
                f"{got(project)}, in which {' or '.join(FIRST_APIS)} is switched off, without which the "
                "program can "
                f"switch on no API; expected both: run `gcloud services enable {' '.join(FIRST_APIS)} "
                f"--project {project}` once, and wait some minutes"
            )
            return [Problem("environment.project_id", reason)]
    return []


def _region_in_new_project(region: str) -> list[Problem]:
    if region in REGIONS:
        return []
    suggestion = nearest(region, REGIONS) or f"; expected one of {', '.join(REGIONS)}"
    return [
        Problem(
            "environment.region",
            f"{got(region)}, an unknown region (if it is new, switch on compute.googleapis.com, so that "
            "Google is "
            f"asked){suggestion}",
        )
    ]


def _warn_of_new_project(settings: Settings) -> list[Problem]:
    """Warn that zones, machine types and quotas are known in the middle of the update only; return no
    problem."""
    project, stated = settings.environment.project_id, settings.network.zones
    zones = first_zones(settings.environment.region, stated) if isinstance(stated, int) else stated
    requested, _ = pools.read_pools(settings, zones, _gpu_machines)
    machine_types = pools.machine_types([_system_nodes(settings, zones), *requested])
    asked = f"the zones {', '.join(zones)}, the machine types {', '.join(machine_types)} and quotas"
    pulumi.log.warn(
        f"environment.project_id: {got(project)}, in which compute.googleapis.com is switched off, so that "
        f"{asked} cannot be checked: what Google Cloud does not offer fails in the middle of the first `up`; "
        "expected it switched on before: run `gcloud services enable compute.googleapis.com "
        f"--project {project}` once, and wait some minutes"
    )
    return []


def _project_or_region(settings: Settings, options: pulumi.InvokeOptions, error: Exception) -> list[Problem]:
    """Return what is wrong with a project or a region of which Compute Engine lists no zones."""
    environment = settings.environment
    try:
        regions = compute.get_regions(project=environment.project_id, opts=options).names
    except Exception as second:
        if is_throttled(second):
            raise
        # The first error is reported, whatever the second is.
        message = " ".join(str(error).split()).partition(" returned an error: ")
        detail = message[2] or message[0]
        reason = f"{got(environment.project_id)}, whose zones Compute Engine does not list: {detail}"
        return [Problem("environment.project_id", reason)]
    if environment.region in regions:
        return []
    suggestion = nearest(environment.region, regions) or f"; expected one of {', '.join(sorted(regions))}"
    return [Problem("environment.region", f"{got(environment.region)}, an unknown region{suggestion}")]


def _zones(settings: Settings, existing: Sequence[str]) -> tuple[Sequence[str], list[Problem]]:
    """Return the zones of the network, and the problems of those that the region does not have."""
    stated = settings.network.zones
    by_number = isinstance(stated, int)
    key = "existing.zones" if settings.network.existing is not None else "zone_ids"
    zones = first_zones(settings.environment.region, stated) if isinstance(stated, int) else stated
    problems = [
        Problem(
            "network.zone_count" if by_number else f"network.{key}[{index}]",
            f"{got(zone)}, which {settings.environment.region} does not have; expected "
            f"{'a list of two or three' if by_number else 'one'} of {', '.join(sorted(existing))}",
        )
        for index, zone in enumerate(zones)
        if zone not in existing
    ]
    return zones, problems


def _in_zones(settings: Settings, zones: Sequence[str], options: pulumi.InvokeOptions) -> list[Problem]:
    """Return what the zones of the network do not offer, and what contradicts existing resources."""
    requested, invalid = pools.read_pools(settings, zones, _gpu_machines)
    requested = [_system_nodes(settings, zones), *requested]
    cluster = read(ClusterReference, placeholders.of(settings, zones).cluster, "Cluster")
    offerings = gke.zones_that_offer(pools.machine_types(requested), zones, cluster, options)
    unknown = isinstance(offerings, Output)  # a new project, which can be asked later only
    missing = [*invalid, *([] if unknown else pools.not_offered(requested, offerings))]  # type: ignore[arg-type]
    existing = [
        *gcp_existing.cluster_problems(settings, zones, options),
        *gcp_existing.reservation_problems(settings, options),
    ]
    # A machine type that Compute Engine does not offer has no quota.
    if missing or unknown:
        return [*missing, *existing]
    return [*existing, *gcp_quotas.problems(settings, zones, offerings, options)]  # type: ignore[arg-type]


def _system_nodes(settings: Settings, zones: Sequence[str]) -> pools.Pool:
    system_nodes = settings.cluster.system_nodes
    machine_type = system_nodes.instance_types[0]

    def check(offerings: pools.Offerings) -> None:
        # Their node pool covers as many of the network's zones as it may have nodes.
        offering = offerings.get(machine_type, frozenset[str]())
        missing = [zone for zone in zones[: system_nodes.max] if zone not in offering]
        if missing:
            reason = f"{got(machine_type)}, which {' and '.join(missing)} of the network do not offer"
            raise ArgumentError([Problem("ClusterArgs.system_nodes.instance_types[0]", reason)])

    return pools.Pool("cluster", [machine_type], check)


def _gpu_machines(pool: GpuPoolSettings) -> pools.MachineTypes:
    plans = gcp_plan.plan(pool)
    machine_types = sorted({plan.machine.type for plan in plans})
    return machine_types, partial(gcp_plan.zones_for, pool, plans)

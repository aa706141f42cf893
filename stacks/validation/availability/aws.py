"""What AWS does not offer: zones of the region, instance types in them, and quotas of the account."""

from __future__ import annotations

from functools import partial

import pulumi

from aiplatform._shared.args import ArgumentError, Problem, read
from aiplatform._shared.aws.node_groups import zones_that_offer
from aiplatform.cluster.aws.leftovers import refuse_leftover_logs
from aiplatform.cluster.aws.nodes import check_offered
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import plan as gpu
from aiplatform.network.args import NetworkSettings
from aiplatform.network.aws.build import find_zones, refuse_endpoints
from stacks import arguments
from stacks.settings import Settings
from stacks.validation.availability import aws_quotas, pools
from stacks.validation.components import by_key


def problems(settings: Settings, provider: pulumi.ProviderResource) -> list[Problem]:
    """Return everything that the settings ask for and AWS does not offer."""
    options = pulumi.InvokeOptions(provider=provider)
    try:
        zones = _zones(settings, options)
    except ArgumentError as error:
        # Without the zones of the network its pools cannot be checked.
        return by_key("network", error)
    requested, invalid = pools.read_pools(settings, zones, _gpu_machines)
    system_types = settings.cluster.system_nodes.instance_types
    requested = [pools.Pool("cluster", system_types, partial(check_offered, system_types)), *requested]
    machine_types = pools.machine_types(requested)
    offerings = zones_that_offer(machine_types, options) if machine_types else {}
    missing = [*invalid, *pools.not_offered(requested, offerings), *_leftovers(settings, options)]
    # An instance type that EC2 does not offer has no quota, and `bootstrap` starts no node.
    if missing or settings.environment.bootstrap:
        return missing
    return aws_quotas.problems(settings, zones, offerings, options)


def _zones(settings: Settings, options: pulumi.InvokeOptions) -> list[str]:
    """Return the ids of the zones of the network that is created, or that exists."""
    existing = settings.network.existing
    if existing is not None:
        return [str(zone.id) for zone in existing.zones]
    network = read(NetworkSettings, arguments.network(settings), "NetworkArgs")
    refuse_endpoints(network, settings.environment.region)
    return list(find_zones(network, options))


def _leftovers(settings: Settings, options: pulumi.InvokeOptions) -> list[Problem]:
    """Return the problem of a log group that an earlier cluster of this name left."""
    if settings.environment.bootstrap:
        return []  # no cluster yet
    try:
        refuse_leftover_logs(settings.environment.prefix, options)
    except ArgumentError as error:
        return by_key("cluster", error)
    return []


def _gpu_machines(pool: GpuPoolSettings) -> pools.MachineTypes:
    return gpu.instance_types(pool), partial(gpu.plan, pool)

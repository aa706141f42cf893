"""What AWS does not offer: zones of the region, instance types in them, and quotas of the account."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pulumi

from aiplatform._shared.args import ArgumentError, read
from aiplatform._shared.aws.node_groups import zones_that_offer
from aiplatform.cluster.aws.leftovers import refuse_leftover_logs
from aiplatform.gpu_pool.args import GpuPoolSettings
from aiplatform.gpu_pool.aws import plan as gpu
from aiplatform.network.args import NetworkSettings
from aiplatform.network.aws.build import find_zones, refuse_endpoints
from stacks import arguments
from stacks.offerings import aws_quotas, pools
from stacks.offerings.found import Found, placed
from stacks.settings import Settings


def problems(settings: Settings, provider: pulumi.ProviderResource) -> list[Found]:
    """All that the cloud cannot give of what the settings ask for. Asks it by `provider`."""
    options = pulumi.InvokeOptions(provider=provider)
    network = read(NetworkSettings, arguments.network(settings), "NetworkArgs")
    try:
        refuse_endpoints(network, settings.environment.region)
        zones = find_zones(network, options)
    except ArgumentError as error:
        # Which zones the network has is not known then, so nothing can be said of its pools.
        return placed("network", error)
    found: list[Found] = []
    asked = pools.of(settings, list(zones), _gpus, found)
    types = pools.types_of(asked)
    offered = zones_that_offer(types, options) if types else {}
    lacking = [*pools.judged(asked, offered, found), *_leftovers(settings, options)]
    # What EC2 does not offer needs no quota, and `bootstrap` starts no node.
    if lacking or settings.environment.bootstrap:
        return lacking
    return aws_quotas.problems(settings, list(zones), offered, options)


def _leftovers(settings: Settings, options: pulumi.InvokeOptions) -> list[Found]:
    if settings.environment.bootstrap:
        return []  # no cluster yet
    try:
        refuse_leftover_logs(settings.environment.prefix, options)
    except ArgumentError as error:
        return placed("cluster", error)
    return []


def _gpus(pool: GpuPoolSettings) -> tuple[Sequence[str], pools.Judge]:
    return gpu.instance_types(pool), partial(gpu.plan, pool)

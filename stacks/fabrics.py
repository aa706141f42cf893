"""What the guardrails allow in namespaces whose Pods use GPUDirect, from the pools. Pure: no resource, no
call."""

from __future__ import annotations

from typing import Any

from aiplatform.accelerators.fabric import access_of_pools
from aiplatform.accelerators.gcp import Fabric
from aiplatform.gpu_checks.args import NAMESPACE
from stacks import devices, gpu_check_queues
from stacks.settings import Settings
from stacks.settings.generated import stated


def pools_of(settings: Settings, team: str) -> list[str]:
    """Return the pools whose network a team's Pods use."""
    return list(stated(settings.teams[team]).get("fabric", []))


def namespaces(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the entries of `fabric_namespaces` for teams and for the tests of GPUs."""
    kinds = devices.gpudirect_pools(settings)
    pools = {settings.namespace_of(team): pools_of(settings, team) for team in settings.teams}
    pools[NAMESPACE] = gpu_check_queues.fabric_of(settings)
    known: dict[str, dict[str, Fabric]] = {
        namespace: {pool: kinds[pool] for pool in names if pool in kinds}
        for namespace, names in pools.items()
    }
    return {namespace: access_of_pools(entry) for namespace, entry in known.items() if entry}

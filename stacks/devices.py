"""How accelerators reach Pods: which device plugins the platform installs, and what Pods claim."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from aiplatform.accelerators import aws_machines
from aiplatform.accelerators.gcp import MACHINES, Fabric
from stacks.settings import GpuPool, Settings
from stacks.settings.generated import stated

OPERATOR: Final = "gpu-operator"
"""The add-on with NVIDIA's GPU operator."""
EXPORTER: Final = "dcgm-exporter"
"""The add-on with the metrics of GPUs."""


def enabled(settings: Settings, addon: str) -> bool | None:
    """Return whether the file enables an add-on; None where it states nothing."""
    topic: dict[str, Any] = stated(settings.addons) if settings.addons is not None else {}
    return topic.get("options", {}).get(addon, {}).get("enabled")


def needs_exporter(settings: Settings) -> bool:
    """Return whether the exporter of GPU metrics is installed although it is not by default: on Google Cloud,
    where Prometheus of the platform scrapes it and GKE's own is off. A file that states it decides."""
    scraped = settings.environment.cloud == "gcp" and settings.observability is not None
    return scraped and enabled(settings, EXPORTER) is None


def installed_plugins(settings: Settings, pools: Collection[str]) -> set[str]:
    """Return the device plugins that the platform installs. pools: the outputs `device_plugin` of the pools.
    NVIDIA's GPU operator installs NVIDIA's: two would both register the devices of a node."""
    by_operator = {"nvidia"} if enabled(settings, OPERATOR) else set[str]()
    return set(pools) & {"nvidia", "neuron"} - by_operator


def gpudirect(pool: GpuPool) -> Fabric | None:
    """Return the kind of GPUDirect of a pool on Google Cloud; None also for a machine that does not exist,
    which is reported elsewhere."""
    requested = (pool.accelerator, pool.count)
    machines = (machine for machine in MACHINES if (machine.accelerator, machine.count) == requested)
    return next((machine.fabric for machine in machines), None) if pool.gpudirect is not False else None


def gpudirect_pools(settings: Settings) -> dict[str, Fabric]:
    """Return pool -> its kind of GPUDirect, of the pools that have it."""
    if settings.environment.cloud != "gcp":
        return {}
    kinds: dict[str, Fabric] = {}
    for name, pool in settings.gpu_pools.items():
        kind = gpudirect(pool)
        if kind is not None:
            kinds[name] = kind
    return kinds


def has_efa(pool: GpuPool) -> bool:
    """Return whether the nodes of a pool on AWS have EFA, with the default of the argument."""
    stated_efa: bool | None = stated(pool).get("efa")
    if stated_efa is not None:
        return stated_efa
    return aws_machines(pool.accelerator, pool.count)[0].efa_interfaces > 1


def adapters(settings: Settings) -> dict[str, float]:
    """Return pool -> the adapters of EFA of a node for each of its accelerators, of the pools that have
    some. Of machines that do not exist another check reports."""
    if settings.environment.cloud != "aws":
        return {}
    shares: dict[str, float] = {}
    for name, pool in settings.gpu_pools.items():
        machines = aws_machines(pool.accelerator, pool.count)
        if machines and machines[0].efa_interfaces and has_efa(pool):
            shares[name] = machines[0].efa_interfaces / int(pool.count)
    return shares


def claiming(settings: Settings) -> dict[str, GpuPool]:
    """Return the pools whose accelerators Pods claim, by name."""
    return {
        name: pool
        for name, pool in settings.gpu_pools.items()
        if stated(pool).get("device_allocation") == "dra"
    }


def claimed(settings: Settings) -> list[int]:
    """Return the numbers of accelerators that a Pod may claim: the powers of two up to those of a node, and
    all of a node. Empty where no pool has claims."""
    counts = {int(pool.count) for pool in claiming(settings).values()}
    most = max(counts, default=0)
    return sorted({*(2**power for power in range(most.bit_length())), *counts})

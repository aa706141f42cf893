"""Device software of a cluster: one device plugin and one DCGM engine on each node, and what claims need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from aiplatform._shared.args import Problem, got
from aiplatform.addons.args import CLAIMS
from aiplatform.addons.values.dcgm_exporter import OLDEST_AGENT
from stacks import devices
from stacks.settings import Settings
from stacks.settings.generated import stated

AGENT: Final = "eks-node-monitoring-agent"
OLDEST_VERSION: Final = (1, 34)
"""Of Kubernetes, with claims: the first with resource.k8s.io/v1."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what would leave accelerators without software, or with two of a kind."""
    yield from _claims(settings)
    if settings.environment.cloud == "aws" and settings.addons is not None:
        yield from _engine(settings)


def _claims(settings: Settings) -> Iterator[Problem]:
    pools = list(devices.claiming(settings))
    if not pools or settings.environment.cloud != "aws":
        return
    key = f"gpu_pools.{pools[0]}.device_allocation"
    if settings.addons is None:
        yield Problem(key, f"got 'dra' without the topic addons; expected it, for the add-on {CLAIMS}")
    elif devices.enabled(settings, CLAIMS) is False:
        yield Problem(
            f"addons.options.{CLAIMS}.enabled",
            f"got false, and Pods claim the accelerators of {', '.join(pools)}; expected true, or nothing",
        )
    version = _numbers(settings.cluster.version)
    if version and version < OLDEST_VERSION:
        yield Problem(
            "cluster.version",
            f"{got(settings.cluster.version)}, and Pods claim the accelerators of {', '.join(pools)}; "
            "expected 1.34 or later, or device_allocation: plugin",
        )


def _engine(settings: Settings) -> Iterator[Problem]:
    """The exporter is a client of the agent's DCGM engine."""
    if devices.enabled(settings, devices.EXPORTER) is False:
        return
    agent: dict[str, Any] = stated(settings.cluster.eks).get("addons", {}).get(AGENT, {})
    path = f"cluster.eks.addons.{AGENT}"
    hint = f"or addons.options.{devices.EXPORTER}.enabled: false"
    version = agent.get("version")
    if version is not None and _numbers(version) < OLDEST_AGENT:
        oldest = ".".join(map(str, OLDEST_AGENT))
        yield Problem(
            f"{path}.version",
            f"{got(version)}, whose DCGM engine may be too old for the add-on {devices.EXPORTER}; expected "
            f"v{oldest} or later, {hint}",
        )
    if agent.get("configuration", {}).get("dcgmAgent", {}).get("enabled") is False:
        yield Problem(
            f"{path}.configuration.dcgmAgent.enabled",
            f"got false, and the add-on {devices.EXPORTER} uses this DCGM engine; expected true, {hint}",
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0]))

"""The end of work whose GPUs are idle."""

from dataclasses import dataclass
from typing import Annotated

from aiplatform._shared.args import between
from aiplatform._shared.cron import cron
from aiplatform.cost.inputs import CostReaperArgs as CostReaperArgs


@dataclass(frozen=True)
class CostReaper:
    """The end of work whose GPUs are idle, by the metrics of DCGM: its Workload is deactivated, so that Kueue
    evicts it. A Pod with the label `ai-platform/keep-running` keeps its work: `true`, or the last day,
    `2026-12-24`."""

    idle_hours: Annotated[int, between(1, 72, "hours")] = 4
    """For how long all GPUs of all its Pods have to be idle. Default 4."""
    dry_run: bool = False
    """Whether idle work is reported by an event alone. Default false."""
    schedule: Annotated[str, cron] = "*/15 * * * *"
    """When use is compared, in cron's format, UTC. Default every quarter of an hour."""

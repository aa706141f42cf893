"""The arguments of the component Cost. Pure: no resource, no call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from aiplatform.cost.args import CostArgs
from stacks import data_arguments, team_parts
from stacks.settings import Settings

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")


def cost(settings: Settings, cluster: Any, prometheus_url: str | None) -> CostArgs:
    """Arguments of cost control. cluster: Cluster.outputs. prometheus_url: of Observability; None without."""
    args: dict[str, Any] = data_arguments.component_arguments(settings, "cost", CostArgs)
    for key in ("hours", "usage"):
        args.pop(key, None)
    args.update(cluster=cluster, profile=settings.environment.profile)
    if settings.queues is not None:
        args["cluster_queues"] = settings.queue_names
    if "reaper" in args and prometheus_url is not None:
        args["prometheus_url"] = prometheus_url
    if "budget" in args:
        args["budget"] = _owned(settings, args["budget"])
    team_budgets = {**args.get("team_budgets", {}), **team_parts.budgets(settings)}
    if team_budgets:
        args["team_budgets"] = {team: _owned(settings, budget) for team, budget in team_budgets.items()}
    if settings.environment.cloud == "aws":
        args["tags"] = settings.environment.all_tags
    return cast("CostArgs", args)


def _owned(settings: Settings, budget: Mapping[str, Any]) -> dict[str, Any]:
    """Return a budget whose alerts go to the owner of the environment, where it states nothing else."""
    owner = settings.environment.owner
    emails = {"emails": [owner]} if _EMAIL.fullmatch(owner) else {}
    return {**emails, **budget}

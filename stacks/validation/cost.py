"""Control of costs: what budgets need of other topics, and what they are compared with.

A budget is compared with what its environment costs while it is idle, by the committed estimate
(docs/estimates/<cloud>-<name>.json, which `make generate` renews). An environment that has none is not
compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from aiplatform._shared.args import Problem, nearest
from stacks import devices, images, team_parts
from stacks.settings import Settings
from stacks.settings.generated import stated

ESTIMATES: Final = Path(__file__).resolve().parents[2] / "docs" / "estimates"
_HOURS: Final = 24
_DOLLARS: Final = "USD"
"""The currency of estimates."""


def problems(settings: Settings, estimates: Path = ESTIMATES) -> Iterator[Problem]:
    """Yield teams without a topic, a reaper without metrics, and what prod does not permit."""
    topic = stated(settings.cost)
    for name in topic.get("team_budgets", {}):
        if name not in settings.teams:
            known = ", ".join(settings.teams) or "none, since there are no teams"
            yield Problem(
                f"cost.team_budgets.{name}",
                f"no team; expected one of {known}{nearest(name, list(settings.teams))}",
            )
    if "reaper" in topic:
        yield from _reaper(settings, topic["reaper"])
    if settings.environment.profile != "prod":
        return
    for path, budget in _budgets(settings, topic):
        if not budget.get("emails") and "@" not in settings.environment.owner:
            yield Problem(
                f"{path}.emails",
                "missing, and environment.owner is no email address; expected at least one in prod",
            )
    below = _below_idle(settings, topic, estimates)
    if below is not None:
        yield Problem("cost.budget.amount", f"{below} in prod")


def _reaper(settings: Settings, reaper: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what leaves a reaper without metrics of the time that it compares."""
    if devices.EXPORTER not in images.addons_of(settings):
        yield Problem(
            "cost.reaper", f"got it without the add-on {devices.EXPORTER}, which measures the use of GPUs"
        )
    observability: dict[str, Any] = stated(settings.observability) if settings.observability else {}
    prometheus: Any = observability.get("prometheus") or {}
    days: int | None = prometheus.get("retention_days")
    hours = reaper.get("idle_hours")
    if days is not None and hours is not None and hours > days * _HOURS:
        yield Problem(
            "cost.reaper.idle_hours",
            f"got {hours}, and Prometheus keeps metrics for {days} days (observability.prometheus); expected "
            f"at most {days * _HOURS}",
        )


def warnings(settings: Settings, estimates: Path = ESTIMATES) -> Iterator[Problem]:
    """Yield what only prod refuses, of another profile, and what a schedule does not end."""
    if settings.environment.profile != "prod":
        topic = stated(settings.cost)
        below = _below_idle(settings, topic, estimates)
        if below is not None:
            yield Problem("cost.budget.amount", below)
        if "schedule" in topic:
            yield from _always_on(settings)


def _always_on(settings: Settings) -> Iterator[Problem]:
    """Yield the pools with GPUs whose nodes a schedule does not end."""
    for name, pool in settings.gpu_pools.items():
        least = stated(pool).get("min", 0)
        if least:
            yield Problem(
                f"gpu_pools.{name}.min",
                f"got {least}, and these nodes run on while cost.schedule states that the environment is "
                "off; expected 0",
            )


def _budgets(settings: Settings, topic: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "budget" in topic:
        yield "cost.budget", topic["budget"]
    for name, budget in topic.get("team_budgets", {}).items():
        yield f"cost.team_budgets.{name}", budget
    for name, budget in team_parts.budgets(settings).items():
        yield f"teams.{name}.budget", budget


def _below_idle(settings: Settings, topic: Mapping[str, Any], estimates: Path) -> str | None:
    """Return the problem of a budget that is spent without any use, or None. One with a tag counts less than
    the estimate, and one in another currency cannot be compared."""
    budget = topic.get("budget")
    if budget is None or budget.get("tag") or topic.get("currency", _DOLLARS) != _DOLLARS:
        return None
    environment = settings.environment
    file = estimates / f"{environment.cloud}-{environment.name}.json"
    if not file.is_file():
        return None
    idle: float = json.loads(file.read_text())["usd_per_month"]["idle"]
    amount = budget["amount"]
    # An amount that is none, such as -1, is the component's to refuse.
    if amount >= idle or not amount >= 1:
        return None
    return (
        f"got {amount:g}, and the environment costs {idle:.2f} dollars a month while it is idle "
        f"(docs/estimates/{file.name}); expected at least that"
    )

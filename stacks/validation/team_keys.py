"""The keys of teams' blocks that cause problems of other topics' components (stacks/team_parts.py)."""

from __future__ import annotations

import re
from typing import Final

from aiplatform._shared.args import Problem
from stacks import team_parts
from stacks.settings import Settings
from stacks.settings.generated import stated

_BUDGET: Final = re.compile(r"cost\.team_budgets\.([^.]+)(.*)")
_RECEIVER: Final = re.compile(r"observability\.notifications\.receivers\[(\d+)\](.*)")
_ROUTE: Final = re.compile(r"observability\.notifications\.routes\[(\d+)\](.*)")
_REPOSITORY: Final = re.compile(r"container_registry\.repositories\[(\d+)\](.*)")
_PUSHER: Final = re.compile(r"container_registry\.repository_writers\.([^.\[]+)(.*)")


def with_cause(settings: Settings, problem: Problem) -> Problem:
    """Return a problem with the key of the team that causes it; as it is where no team does."""
    path = _key(settings, problem.path)
    return Problem(path, problem.reason) if path is not None else problem


def _key(settings: Settings, path: str) -> str | None:
    if match := _BUDGET.fullmatch(path):
        name, rest = match.groups()
        return f"teams.{name}.budget{rest}" if name in team_parts.budgets(settings) else None
    if match := _PUSHER.fullmatch(path):
        key = team_parts.repositories(settings).get(match[1])
        return f"{key.partition('.repositories')[0]}.pushers{match[2]}" if key is not None else None
    if match := _REPOSITORY.fullmatch(path):
        topic = stated(settings.container_registry) if settings.container_registry is not None else {}
        keys = list(team_parts.repositories(settings).values())
        index = int(match[1]) - len(topic.get("repositories", []))
        return f"{keys[index]}{match[2]}" if index >= 0 else None
    return _key_of_alerts(settings, path)


def _key_of_alerts(settings: Settings, path: str) -> str | None:
    """Return the key of a receiver, which follows those of the file, or of a route, which precedes them."""
    teams = team_parts.with_alerts(settings)
    topic = stated(settings.observability) if settings.observability is not None else {}
    if match := _RECEIVER.fullmatch(path):
        index = int(match[1]) - len(topic.get("notifications", {}).get("receivers", []))
        return f"teams.{teams[index]}.alerts{match[2]}" if index >= 0 else None
    if match := _ROUTE.fullmatch(path):
        index = int(match[1]) - len(teams)
        if index < 0:
            return f"teams.{teams[index]}.alerts"
        return f"observability.notifications.routes[{index}]{match[2]}"
    return None

"""What the blocks of teams state for other topics: repositories, budgets, receivers of alerts, dashboards.
Each has one source, the block, and one component, that of the other topic. Pure: no resource, no call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacks.settings import Settings
from stacks.settings.generated import stated


def repository(settings: Settings, team: str, name: str) -> str:
    """Return the name that a team's repository has among those of the environment."""
    return f"{team}/{name}" if settings.environment.cloud == "aws" else f"{team}-{name}"


def repositories(settings: Settings) -> dict[str, str]:
    """Return repository of a team -> the key that states it. Archived teams keep theirs: images are
    data."""
    return {
        repository(settings, team, name): f"teams.{team}.repositories[{index}]"
        for team, block in {**settings.teams, **settings.archived_teams}.items()
        for index, name in enumerate(block.repositories)
    }


def pushers(settings: Settings) -> dict[str, list[str]]:
    """Return repository of a team -> the principals that push to it; none of an archived team."""
    active = {
        repository(settings, team, name): list(block.pushers)
        for team, block in settings.teams.items()
        for name in block.repositories
    }
    return {name: active.get(name, []) for name in repositories(settings)}


def budgets(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return team -> the budget that its block states."""
    return {name: stated(team.budget) for name, team in settings.teams.items() if team.budget is not None}


def with_alerts(settings: Settings) -> list[str]:
    """Return the teams that have a receiver."""
    return [name for name, team in settings.teams.items() if team.alerts is not None]


def notifications(settings: Settings, of_file: Mapping[str, Any], owners: set[str]) -> dict[str, Any]:
    """Return the notifications of a file with those of teams. owners: of objectives.

    Receivers of teams follow those of the file. Their routes come before: the first that matches applies, and
    the alerts of a team's namespace are the team's.
    """
    receivers = [
        {"name": name, **stated(team.alerts), **({"owners": [name]} if name in owners else {})}
        for name, team in settings.teams.items()
        if team.alerts is not None
    ]
    if not receivers:
        return dict(of_file)
    routes = [
        {"receiver": name, "labels": {"namespace": settings.namespace_of(name)}}
        for name in with_alerts(settings)
    ]
    return {
        "default": "none",
        **of_file,
        "receivers": [*of_file.get("receivers", []), *receivers],
        "routes": [*routes, *of_file.get("routes", [])],
    }


def observed(settings: Settings) -> dict[str, dict[str, str]]:
    """Return team -> what its dashboard shows."""
    return {
        name: {
            "namespace": settings.namespace_of(name),
            **({"queue": stated(team)["queue"]} if "queue" in stated(team) else {}),
        }
        for name, team in settings.teams.items()
    }

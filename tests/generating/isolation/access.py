"""A row of the page: what an identity of a team may do with its own and with another team's thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.generating.isolation.sample import ADS, SEARCH

WORKLOADS, READER, CI, POD = "Pods of the team", "External Secrets of the team", "CI of the team", "Pod"


@dataclass(frozen=True)
class Row:
    """One action, and whether it is allowed on the thing of the own team and of the other one."""

    who: str
    what: str
    action: str
    own_team: bool
    other_team: bool


def rows(who: str, what: str, action: str, allowed: Callable[[str, str], bool], reverse: bool = False) -> Row:
    """Return a row. allowed: of the team that asks and the team that owns the thing."""
    team, other = (ADS, SEARCH) if reverse else (SEARCH, ADS)
    return Row(who, what, action, allowed(team, team), allowed(team, other))

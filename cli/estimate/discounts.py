"""Discounts and commitments, which list prices do not have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cli.estimate.lines import HOURS, NONE, PLATFORM, Amounts, Line, always
from cli.output import CommandError

ALL: Final = "all"
GROUPS: Final = (
    "compute",
    "control plane",
    "data",
    "database",
    "monitoring",
    "network",
    "security",
    "storage",
)
_COMMITMENT: Final = re.compile(r"(?P<usd>[0-9.]+):(?P<percent>[0-9.]+)")


@dataclass(frozen=True)
class Commitment:
    """Dollars an hour that are paid in any case, for what would cost more on demand.

    percent: how much less than on demand what it covers costs.
    """

    group: str
    usd_per_hour: float
    percent: float


def parse_discounts(values: Sequence[str]) -> Mapping[str, float]:
    """Return group -> percent of `compute=20`. Raises CommandError."""
    discounts: dict[str, float] = {}
    for value in values:
        group, _, percent = value.partition("=")
        discounts[_group(value, group, "--discount", (ALL, *GROUPS))] = _percent(value, percent, "--discount")
    return discounts


def parse_commitments(values: Sequence[str]) -> tuple[Commitment, ...]:
    """Return the commitments of `compute=2.50:30`. Raises CommandError."""
    commitments: list[Commitment] = []
    for value in values:
        group, _, rest = value.partition("=")
        match = _COMMITMENT.fullmatch(rest)
        if match is None:
            raise CommandError(
                f"--commitment: got {value!r}; expected GROUP=USD_PER_HOUR:PERCENT, compute=2.50:30"
            )
        percent = _percent(value, match["percent"], "--commitment")
        commitments.append(
            Commitment(_group(value, group, "--commitment", GROUPS), float(match["usd"]), percent)
        )
    return tuple(commitments)


def discounted(lines: Sequence[Line], discounts: Mapping[str, float]) -> list[Line]:
    """Return the lines with discounts: of their group, else of `all`. A credit stays as it is."""
    result: list[Line] = []
    for line in lines:
        percent = discounts.get(line.group, discounts.get(ALL, 0.0))
        result.append(replace(line, usd=line.usd * (1 - percent / 100)) if line.usd > 0 else line)
    return result


def committed(lines: Sequence[Line], commitments: Sequence[Commitment]) -> list[Line]:
    """Return a line for each commitment: what is paid for it, less what it covers on demand.

    It covers use on demand only, no spot capacity. Use is taken as even over the month.
    """
    result: list[Line] = []
    for commitment in commitments:
        eligible = NONE
        for line in lines:
            if line.group == commitment.group and not line.spot and line.usd > 0:
                eligible = eligible.plus(line.cost)
        paid = commitment.usd_per_hour * HOURS
        covers = paid / (1 - commitment.percent / 100)
        saved = Amounts(*(min(covers, usd) for usd in (eligible.idle, eligible.expected, eligible.maximum)))
        cost = always(paid).plus(saved.times(-1))
        item = f"commitment of ${commitment.usd_per_hour:g} an hour, less what it covers"
        group = commitment.group
        result.append(
            Line("commitment", "commitments", PLATFORM, item, group, "commitment", "USD", 1.0, cost)
        )
    return result


def _group(value: str, group: str, option: str, known: Sequence[str]) -> str:
    if group not in known:
        raise CommandError(f"{option}: got {value!r}; expected a group of {', '.join(known)}")
    return group


def _percent(value: str, text: str, option: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent < 100:
        raise CommandError(f"{option}: got {value!r}; expected percent from 0 to less than 100")
    return percent

"""The parameters of a rollout, which come as texts from a workflow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from model_rollout.errors import RefusedError

SCRAPES: Final = 4
"""Samples that a step has at least: with fewer there is no difference to evaluate."""
BACK: Final = "back"
CONTINUE: Final = "continue"
_TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Parameters:
    """A rollout. weights: percent of the requests in each step, the last 100. Times are in seconds."""

    service: str
    model_uri: str
    weights: Sequence[int]
    step_seconds: float
    max_error_rate: float
    max_p95_ms: float
    min_requests: int
    no_traffic: str
    mirror_percent: int
    ready_seconds: float
    keep: bool
    scrape_seconds: float


def parse(values: Mapping[str, str], scrape_seconds: float) -> Parameters:
    """Return the parameters. scrape_seconds: between two samples of Prometheus. Raises RefusedError, which
    names everything that is wrong."""
    reader = _Reader(values)
    shortest = SCRAPES * scrape_seconds
    parameters = Parameters(
        service=values["service"],
        model_uri=values["model_uri"],
        weights=reader.weights("weights"),
        step_seconds=60
        * reader.number(
            "step_minutes",
            shortest / 60,
            1440,
            f"at least {shortest / 60:g} minutes, {SCRAPES} samples of Prometheus, and at most 1440",
        ),
        max_error_rate=reader.number("max_error_rate", 0, 1, "a share of the requests, 0 to 1: 0.01"),
        max_p95_ms=reader.number("max_p95_ms", 1, 3_600_000, "milliseconds, 1 to 3600000"),
        min_requests=int(
            reader.number("min_requests", 1, 1_000_000, "a number of requests, 1 to 1000000", whole=True)
        ),
        no_traffic=reader.choice("no_traffic", (BACK, CONTINUE)),
        mirror_percent=int(reader.number("mirror_percent", 0, 100, "percent, 0 to 100", whole=True)),
        ready_seconds=60 * reader.number("ready_minutes", 0.1, 1440, "minutes, 0.1 to 1440"),
        keep=_TRUTH.get(reader.choice("keep", tuple(_TRUTH)), True),
        scrape_seconds=scrape_seconds,
    )
    if reader.problems:
        raise RefusedError("\n".join(reader.problems))
    return parameters


class _Reader:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values, self.problems = values, list[str]()

    def _problem(self, name: str, expected: str) -> None:
        self.problems.append(f"{name}: got {self._values[name]!r}; expected {expected}")

    def number(self, name: str, least: float, most: float, expected: str, *, whole: bool = False) -> float:
        try:
            number = float(self._values[name])
        except ValueError:
            number = math.nan
        # Not for NaN either.
        if not least <= number <= most or (whole and number != int(number)):
            self._problem(name, expected)
            return most
        return number

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self._values[name]
        if value not in choices:
            self._problem(name, f"one of {', '.join(choices)}")
        return value

    def weights(self, name: str) -> list[int]:
        try:
            weights = [int(part) for part in self._values[name].split(",")]
        except ValueError:
            weights = []
        rising = all(before < after for before, after in pairwise(weights))
        if not weights or weights[0] < 1 or not rising or weights[-1] != 100:
            self._problem(name, "percentages that rise to 100, as in 10,50,100")
        return weights

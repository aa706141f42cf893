"""Days of requests from seeded generators: undrifted ones, and one for each kind of drift of stated size.

`python -m tests.campaign ../../docs/drift-detection.md` in the folder of the program renews the page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from model_monitor import drift
from model_monitor.declaration import Column, Prediction

BASELINE_ROWS: Final = 20_000
DAY_ROWS: Final = 2_000
QUIET_DAYS: Final = 50
QUIET_ROWS: Final = (500, 1_000, 2_000, 5_000, 20_000)
SEED: Final = 20
Frame = pd.DataFrame
Change = Callable[[Frame, np.random.Generator], None]

COLUMNS: Final[Sequence[Column | Prediction]] = (
    *(
        Column(name=name, type="number")
        for name in ("distance", "amount", "items", "hour", "route", "latency", "discount", "income")
    ),
    *(Column(name=name, type="category") for name in ("zone", "device", "plan", "member", "postcode")),
    Prediction(name="fare", type="number"),
    Prediction(name="class", type="category"),
)
_ZONES: Final = 12
_POSTCODES: Final = 200


def rows(count: int, random: np.random.Generator, wobble: float = 0.0) -> Frame:
    """Return rows of a day. wobble: the standard deviation of what differs from day to day: of the mean of
    each number, in its standard deviations, and, times three, of the logarithms of the weights of
    categories."""

    def move() -> float:
        return float(random.normal(0, wobble)) if wobble else 0.0

    def pick(names: Sequence[str], weights: np.ndarray) -> np.ndarray:
        moved = weights * np.exp(random.normal(0, 3 * wobble, len(weights)) if wobble else 0.0)
        return random.choice(np.array(names, dtype=object), count, p=moved / moved.sum())

    distance = random.normal(10 + 3 * move(), 3, count)
    amount = random.lognormal(3 + 0.8 * move(), 0.8, count)
    route = np.where(random.random(count) < 0.5, random.normal(5, 1, count), random.normal(12, 1.5, count))
    discount = np.where(random.random(count) < 0.7, 0.0, random.gamma(2, 5, count))
    income = random.normal(40 + 12 * move(), 12, count)
    income[random.random(count) < 0.1] = np.nan
    plan = pick(["free", "basic", "pro", "team"], np.array([0.5, 0.3, 0.15, 0.05]))
    plan[random.random(count) < 0.05] = None
    fare = 2 + 1.2 * distance + 0.05 * amount + random.normal(0, 1, count)
    return pd.DataFrame(
        {
            "distance": distance,
            "amount": amount,
            "items": random.poisson(4 * (1 + 0.5 * move()), count).astype(float),
            "hour": np.clip(24 * random.beta(5, 3, count), 0, 23.99),
            "route": route,
            "latency": 20 * (1 + random.pareto(3, count)),
            "discount": discount,
            "income": income,
            "zone": pick([f"z{at}" for at in range(_ZONES)], 1 / np.arange(1, _ZONES + 1)),
            "device": pick(["ios", "android", "web"], np.array([0.5, 0.4, 0.1])),
            "plan": plan,
            "member": np.where(random.random(count) < 0.02, "true", "false").astype(object),
            "postcode": pick([f"p{at}" for at in range(_POSTCODES)], 1 / np.arange(1, _POSTCODES + 1)),
            "fare": fare,
            "class": np.where(fare > 18, "high", np.where(fare > 12, "middle", "low")).astype(object),
        }
    )


@dataclass(frozen=True)
class Drift:
    """A kind of drift. size: as the page states it. column: the one in which it has to be found."""

    name: str
    size: str
    column: str
    change: Change


def _add(column: str, deviations: float) -> Change:
    def change(day: Frame, _: np.random.Generator) -> None:
        day[column] = day[column] + deviations * day[column].std()

    return change


def _scale(column: str, factor: float, *, around_mean: bool = False) -> Change:
    def change(day: Frame, _: np.random.Generator) -> None:
        center = day[column].mean() if around_mean else 0.0
        day[column] = center + (day[column] - center) * factor

    return change


def _some(column: str, share: float, value: Any) -> Change:
    def change(day: Frame, random: np.random.Generator) -> None:
        day.loc[random.random(len(day)) < share, column] = value

    return change


def _hours(day: Frame, _: np.random.Generator) -> None:
    day["hour"] = (day["hour"] + 2) % 24


def _mixture(day: Frame, random: np.random.Generator) -> None:
    near = random.random(len(day)) < 0.7
    day["route"] = np.where(near, random.normal(5, 1, len(day)), random.normal(12, 1.5, len(day)))


def _clipped(day: Frame, _: np.random.Generator) -> None:
    day["amount"] = day["amount"].clip(upper=day["amount"].quantile(0.7))


def _zones(day: Frame, random: np.random.Generator) -> None:
    moved = (day["zone"] == "z0") & (random.random(len(day)) < 0.5)
    day.loc[moved, "zone"] = "z5"


def _swapped(day: Frame, _: np.random.Generator) -> None:
    day["device"] = day["device"].map({"ios": "web", "web": "ios", "android": "android"})


def _joint(day: Frame, random: np.random.Generator) -> None:
    day["distance"] = random.permutation(day["distance"].to_numpy())


def _rounded(day: Frame, _: np.random.Generator) -> None:
    day["distance"] = day["distance"].round()


DRIFTS: Final = (
    Drift("mean of a normal number", "+0.3 standard deviations", "distance", _add("distance", 0.3)),
    Drift("mean of a normal number, down", "-0.3 standard deviations", "distance", _add("distance", -0.3)),
    Drift(
        "spread of a normal number",
        "standard deviation x 1.5",
        "distance",
        _scale("distance", 1.5, around_mean=True),
    ),
    Drift("scale of a skewed number", "x 1.5", "amount", _scale("amount", 1.5)),
    Drift("unit of a number", "kilometres to miles, x 0.621", "route", _scale("route", 0.621)),
    Drift("mean of a count", "x 1.3", "items", _scale("items", 1.3)),
    Drift("weights of two groups", "50 % to 70 % near ones", "route", _mixture),
    Drift("scale of a number with a heavy tail", "x 1.3", "latency", _scale("latency", 1.3)),
    Drift("largest values cut off", "above the quantile 0.7", "amount", _clipped),
    Drift("a default instead of the value", "10 % are 0", "distance", _some("distance", 0.1, 0.0)),
    Drift("time of day", "+2 hours", "hour", _hours),
    Drift("missing values", "10 % to 19 %", "income", _some("income", 0.1, np.nan)),
    Drift("a column is missing", "all values", "zone", _some("zone", 1.1, None)),
    Drift("weight of the largest category", "halved", "zone", _zones),
    Drift("a new category", "5 % of rows", "plan", _some("plan", 0.05, "trial")),
    Drift("two categories are swapped", "50 % with 10 %", "device", _swapped),
    Drift("a rare category grows", "2 % to 10 %", "member", _some("member", 0.082, "true")),
    Drift(
        "one of 200 categories grows", "15 % of rows move to it", "postcode", _some("postcode", 0.15, "p7")
    ),
    Drift("answers", "+0.3 standard deviations", "fare", _add("fare", 0.3)),
    Drift("relation of two columns", "independent, each as before", "distance", _joint),
)


@dataclass(frozen=True)
class Day:
    """What was found on a day. reasons: column and score of each."""

    rows: int
    reasons: Sequence[str]
    columns: Sequence[str]


def baseline() -> Frame:
    """Return the rows that models were trained on."""
    return rows(BASELINE_ROWS, np.random.default_rng(SEED))


def _compared(reference: Frame, day: Frame) -> Day:
    categories = {
        column.name: set(reference[column.name].dropna()) for column in COLUMNS if column.type == "category"
    }
    result = drift.compare(reference, day, COLUMNS, categories)
    reasons = [f"{score.column}: {score.score} {score.value:.3g}" for score in result.scores if score.drifted]
    return Day(len(day), reasons, result.drifted)


def quiet(reference: Frame, number: int, wobble: float = 0.02) -> Day:
    """Compare an undrifted day."""
    random = np.random.default_rng([SEED, 1, number])
    return _compared(reference, rows(QUIET_ROWS[number % len(QUIET_ROWS)], random, wobble))


def drifted(reference: Frame, number: int) -> Day:
    """Compare the day of a kind of drift."""
    random = np.random.default_rng([SEED, 2, number])
    day = rows(DAY_ROWS, random, 0.02)
    DRIFTS[number].change(day, random)
    return _compared(reference, day)


BEGIN: Final = "<!-- begin of the campaign: written by a program -->"
FINISH: Final = "<!-- end of the campaign -->"


def line(kind: Drift, day: Day) -> str:
    """Return the line of a kind of drift in the table."""
    by = sorted(
        {reason.partition(": ")[2].partition(" ")[0] for reason in day.reasons if _is_of(kind, reason)}
    )
    others = sorted(set(day.columns) - {kind.column})
    also = f"; also in {', '.join(others)}" if others else ""
    found = "found" if kind.column in day.columns else "**missed**"
    return f"| {kind.name} | {kind.size} | `{kind.column}` | {found} | {', '.join(by) or '-'}{also} |"


def _is_of(kind: Drift, reason: str) -> bool:
    return reason.startswith(f"{kind.column}: ")


def text() -> str:
    """Return the tables of the whole campaign."""
    reference = baseline()
    quiet_days = [quiet(reference, number) for number in range(QUIET_DAYS)]
    days = [drifted(reference, number) for number in range(len(DRIFTS))]
    alarms = [
        f"| {rows} | {len(part)} | {sum(1 for day in part if day.reasons)} |"
        for rows in QUIET_ROWS
        if (part := [day for day in quiet_days if day.rows == rows])
    ]
    missed = sum(kind.column not in day.columns for kind, day in zip(DRIFTS, days, strict=True))
    return "\n".join(
        [
            BEGIN,
            f"{QUIET_DAYS} undrifted days, {sum(1 for day in quiet_days if day.reasons)} alarms:",
            "",
            "| rows of a day | days | alarms |",
            "|---|---|---|",
            *alarms,
            "",
            f"{len(DRIFTS)} kinds of drift on days of {DAY_ROWS:,} rows, {len(DRIFTS) - missed} found:",
            "",
            "| drift | size | column | result | by |",
            "|---|---|---|---|---|",
            *(line(kind, day) for kind, day in zip(DRIFTS, days, strict=True)),
            FINISH,
        ]
    )


def main(arguments: Sequence[str]) -> None:
    """Print the tables, or write them into a page."""
    made = text()
    if not arguments:
        sys.stdout.write(f"{made}\n")
        return
    page = Path(arguments[0])
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(before + made + rest.partition(FINISH)[2])


if __name__ == "__main__":
    main(sys.argv[1:])

"""An estimate as text: tables for a terminal, and Markdown for pull requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from cli import output
from cli.estimate import steps, usage
from cli.estimate.table import UNVERIFIED

Document = Mapping[str, Any]
"""What `estimate.document` returns."""
Changes = Sequence[tuple[str, list[float]]]
"""Component -> change of each amount in dollars a month; `total` last."""
HEADINGS: Final = ("idle", "expected", "at maximum")
_KEYS: Final = ("idle", "expected", "maximum")


def dollars(value: float) -> str:
    """Return dollars with thousands separated; cents below 100."""
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _cells(cost: Mapping[str, float]) -> list[str]:
    return [dollars(cost[key]) for key in _KEYS]


def show(document: Document, *, lines: bool) -> None:
    """Print an estimate. lines: also its lines."""
    name, region = document["environment"], document["region_of_prices"]
    output.say(f"{name}: dollars a month, list prices of {region}, without tax")
    rows = [[component, *_cells(cost)] for component, cost in document["components"].items()]
    output.table(["component", *HEADINGS], [*rows, ["total", *_cells(document["usd_per_month"])]])
    output.say()
    output.table(["team", *HEADINGS], [[team, *_cells(cost)] for team, cost in document["teams"].items()])
    if lines:
        output.say()
        output.table(
            ["component", "resource", "item", *HEADINGS],
            [
                [line["component"], line["resource"], line["item"], *_cells(line["usd_per_month"])]
                for line in sorted(document["lines"], key=lambda line: -line["usd_per_month"]["maximum"])
            ],
        )
    output.say()
    for sentence in [*remarks(document), *open_steps(document)]:
        output.say(sentence)


def remarks(document: Document) -> Iterator[str]:
    """Yield what the sums leave out or assume, unpriced resources first."""
    if document["unpriced"]:
        yield f"unpriced, in no sum: {len(document['unpriced'])} resource(s)"
        yield from (f"  {entry['resource']}: {entry['reason']}" for entry in document["unpriced"])
    if unverified := [key for key, price in document["prices"].items() if price["source"] == UNVERIFIED]:
        yield f"prices without a source: {', '.join(unverified)}"
    if by_use := sum(line["by_use"] for line in document["lines"]):
        yield f"paid by use, without a maximum, at the expected use: {by_use} line(s)"
    free = document["free"]
    count = sum(entry["resources"] for entry in free)
    yield f"free of charge: {count} resource(s) of {len(free)} type(s), with reasons in --json"
    yield from document["notes"]


def open_steps(document: Document) -> Iterator[str]:
    """Yield the steps that are open, or not known to be done, each with its command."""
    for step in steps.of_document(document):
        if step.state != "done":
            state = "open" if step.state == "open" else "open or done, not known"
            yield f"step {state}: {step.name} ({step.reason})"
            yield f"  {step.command}"


def age_warning(document: Document, today: date) -> str | None:
    """Return the warning for prices that are older than the profile allows; None where there are none."""
    most = usage.max_price_age_days(document["profile"])
    dates = [date.fromisoformat(price["date"]) for price in document["prices"].values() if price["date"]]
    old = [day for day in dates if (today - day).days > most]
    if not old:
        return None
    return (
        f"warning: {len(old)} price(s) are older than the {most} days that the profile {document['profile']} "
        f"allows, the oldest of {min(old)}: `{output.command_name()} prices refresh {document['cloud']}`"
    )


def differences(before: Document, after: Document) -> list[tuple[str, list[float]]]:
    """Return component -> change of each amount in dollars a month, and `total` last; without those that are
    equal."""
    result: list[tuple[str, list[float]]] = []
    for name in sorted(before["components"].keys() | after["components"].keys()):
        change = _change(before["components"].get(name), after["components"].get(name))
        if any(change):
            result.append((name, change))
    total = _change(before["usd_per_month"], after["usd_per_month"])
    return [*result, ("total", total)]


def _change(before: Mapping[str, float] | None, after: Mapping[str, float] | None) -> list[float]:
    return [round((after[key] if after else 0.0) - (before[key] if before else 0.0), 2) for key in _KEYS]


def signed(value: float) -> str:
    """Return a change of dollars with its sign; `0` for none."""
    return "0" if not value else ("+" if value > 0 else "-") + dollars(abs(value))


def show_differences(changes: Changes, ref: str) -> None:
    """Print the differences from an earlier estimate."""
    output.say()
    output.say(f"difference from {ref}, dollars a month:")
    output.table(["component", *HEADINGS], [[name, *map(signed, change)] for name, change in changes])


def markdown(document: Document, changes: Changes | None, ref: str) -> str:
    """Return an estimate for a comment: one line that sums up, tables, and remarks."""
    idle, expected, maximum = _cells(document["usd_per_month"])
    summary = f"{document['environment']}: ${idle} a month idle, ${expected} expected, ${maximum} at maximum"
    by_name = dict(changes or ())
    if changes is not None:
        change = by_name["total"]
        summary += f" ({', '.join(map(signed, change))} to {ref})" if any(change) else f" (as {ref})"
    # A component that is no longer there costs nothing.
    nothing = dict.fromkeys(_KEYS, 0.0)
    costs = {**dict.fromkeys(by_name, nothing), **document["components"]}
    costs.pop("total", None)
    costs["total"] = document["usd_per_month"]
    rows = [[name, *_compared(cost, by_name.get(name))] for name, cost in costs.items()]
    teams = [[team, *_cells(cost)] for team, cost in document["teams"].items()]
    lines = [summary, "", *_table("component", rows), "", *_table("team", teams), ""]
    lines += [f"- {sentence.strip()}" for sentence in remarks(document)]
    lines += [
        f"- {step.name}: {step.state} ({step.reason}): `{step.command}`"
        for step in steps.of_document(document)
        if step.state != "done"
    ]
    return "\n".join(lines) + "\n"


def _compared(cost: Mapping[str, float], change: Sequence[float] | None) -> list[str]:
    changes = change or [0.0, 0.0, 0.0]
    return [
        f"{cell} ({signed(difference)})" if difference else cell
        for cell, difference in zip(_cells(cost), changes, strict=True)
    ]


def _table(heading: str, rows: Sequence[Sequence[str]]) -> list[str]:
    head = [f"| {heading} | {' | '.join(HEADINGS)} |", "| --- | ---: | ---: | ---: |"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)]

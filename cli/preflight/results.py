"""Results of checks: what was checked, its state, and how a problem is repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from cli.output import say, table

State = Literal["ok", "problem", "not checked"]
PASSED: Final = 0
BLOCKED: Final = 2
LIMITED: Final = 3
_MARKS: Final = {"ok": "green", "problem": "red", "not checked": "yellow"}


@dataclass(frozen=True)
class Result:
    """The result of one check.

    subject: what was checked. repair: a command or a page of the console; empty where there is nothing to do.
    blocks: whether a problem keeps the environment from being deployed; otherwise it limits its growth.
    """

    check: str
    subject: str
    state: State
    reason: str
    repair: str = ""
    blocks: bool = True

    @property
    def is_problem(self) -> bool:
        """Whether it is a problem."""
        return self.state == "problem"


def ok(check: str, subject: str, reason: str) -> Result:
    """Return the result of a check that found no problem."""
    return Result(check, subject, "ok", reason)


def problem(check: str, subject: str, reason: str, repair: str, *, blocks: bool = True) -> Result:
    """Return a problem."""
    return Result(check, subject, "problem", reason, repair, blocks)


def not_checked(check: str, subject: str, reason: str, repair: str = "") -> Result:
    """Return the result of a check that could not be made. repair: what would make it possible."""
    return Result(check, subject, "not checked", reason, repair)


def exit_code(results: Iterable[Result]) -> int:
    """Return 2 where a problem keeps the environment from being deployed, 3 where problems limit it only,
    else 0: what is not checked is no problem."""
    problems = [result for result in results if result.is_problem]
    if any(result.blocks for result in problems):
        return BLOCKED
    return LIMITED if problems else PASSED


def document(environment: str, account: str, target: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return the results for JSON. target: `twin` or `cloud`."""
    return {
        "environment": environment,
        "account": account,
        "target": target,
        "exit_code": exit_code(results),
        "results": [_entry(result) for result in results],
    }


def _entry(result: Result) -> Mapping[str, Any]:
    entry: dict[str, Any] = {
        "check": result.check,
        "subject": result.subject,
        "state": result.state,
        "reason": result.reason,
    }
    if result.is_problem:
        entry["blocks"] = result.blocks
    if result.repair:
        entry["repair"] = result.repair
    return entry


def show(results: Sequence[Result], title: str) -> None:
    """Print the table, and what repairs each problem."""
    rows = [(result.check, result.subject, _mark(result), _first_line(result)) for result in results]
    table(("check", "subject", "state", "result"), rows, title=title)
    problems = [result for result in results if result.is_problem]
    say()
    for result in problems:
        say(f"{result.check}, {result.subject}: {result.reason}")
        say(f"    {result.repair}")
    counts = Counter(result.state for result in results)
    say(", ".join(f"{counts[state]} {state}" for state in _MARKS))


def _mark(result: Result) -> str:
    word = "limit" if result.is_problem and not result.blocks else result.state
    return f"[{_MARKS[result.state]}]{word}[/{_MARKS[result.state]}]"


def _first_line(result: Result) -> str:
    # Errors of the program have several lines; a problem's are printed below the table.
    return result.reason.partition("\n")[0].replace("[", r"\[")

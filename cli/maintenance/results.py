"""What a check of accelerators found: by conditions and events of nodes, and by the output of tests. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Outcome = Literal["ok", "failed", "not run"]
FATAL_XIDS: Final = frozenset(
    {46, 48, 54, 62, 63, 64, 74, 79, 95, 109, 110, 119, 120, 136, 140, 142, 143, 151, 155, 156, 158}
)
"""XID errors after which EKS replaces a node (aws/eks-node-monitoring-agent, dcgm_policies.go, commit
51af549). Others may be errors of the program."""
_XID: Final = re.compile(r"XID[-: (]*(\d+)", re.IGNORECASE)
_HARDWARE: Final = "AcceleratedHardwareReady"


@dataclass(frozen=True)
class Result:
    """A line of the report. check: `node`, `devices`, `XID`, `diagnostics` or `bandwidth`."""

    pool: str
    node: str
    check: str
    outcome: Outcome
    detail: str = ""

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """Its cells."""
        return (self.pool, self.node, self.check, self.outcome, self.detail)


def exit_code(results: Iterable[Result]) -> int:
    """Return 1 where a check failed, 3 where one did not run, else 0."""
    outcomes = {result.outcome for result in results}
    return 1 if "failed" in outcomes else 3 if "not run" in outcomes else 0


def of_node(pool: str, node: Any, expected: Mapping[str, int]) -> Iterator[Result]:
    """Yield what a node reports of itself. expected: resource -> quantity."""
    name = node.metadata.name
    conditions = {condition.type: condition for condition in node.status.conditions or ()}
    wrong = [
        f"{kind} is {conditions[kind].status}: {conditions[kind].message or conditions[kind].reason or ''}"
        for kind in ("Ready", _HARDWARE)
        if kind in conditions and conditions[kind].status != "True"
    ]
    yield Result(pool, name, "node", "failed" if wrong else "ok", "; ".join(wrong))
    allocatable: Mapping[str, str] = node.status.allocatable or {}
    missing = [
        f"{resource}: {allocatable.get(resource, 0)} of {quantity}"
        for resource, quantity in expected.items()
        if int(allocatable.get(resource, 0)) < quantity
    ]
    yield Result(pool, name, "devices", "failed" if missing else "ok", ", ".join(missing))


def of_events(pool: str, node: str, events: Iterable[Any]) -> Iterator[Result]:
    """Yield the XID errors in the events of a node."""
    numbers = {
        int(number[1])
        for event in events
        for number in _XID.finditer(f"{event.reason or ''} {event.message or ''}")
    }
    fatal = sorted(numbers & FATAL_XIDS)
    text = ", ".join(map(str, sorted(numbers)))
    yield Result(pool, node, "XID", "failed" if fatal else "ok", text and f"XID {text}")


def of_diagnostics(pool: str, node: str, output: str | None, why: str = "") -> Result:
    """Return the result of `dcgmi diag --json`. output: of its Pod; None where it did not run, for a
    reason."""
    if output is None:
        return Result(pool, node, "diagnostics", "not run", why)
    begin, end = output.find("{"), output.rfind("}")
    try:
        document: Any = json.loads(output[begin : end + 1])
        tests = [test for entry in _categories(document) for test in entry["tests"]]
    except (ValueError, KeyError, TypeError):
        last = output.strip().splitlines()[-1:] or ["no output"]
        return Result(pool, node, "diagnostics", "not run", f"unreadable output: {last[0]}")
    failed = [f"{test['name']}: {_warnings(test)}" for test in tests if _statuses(test) & {"fail"}]
    if failed:
        return Result(pool, node, "diagnostics", "failed", "; ".join(failed))
    if not any("pass" in _statuses(test) for test in tests):
        return Result(pool, node, "diagnostics", "not run", "the engine ran no test")
    return Result(pool, node, "diagnostics", "ok", f"{len(tests)} tests")


def of_bandwidth(
    pool: str, output: str | None, expected: Mapping[str, Any] | None, tolerated: float, why: str = ""
) -> Result:
    """Return the result of the bandwidth test. expected: as `gpu_tests.Bandwidth`; None where none is
    published."""
    nodes = "between 2 nodes"
    lines = [line for line in (output or "").splitlines() if line.startswith("{")]
    try:
        measured: Mapping[str, Any] = json.loads(lines[-1])
        value = float(measured["bus_bandwidth_gb_per_second"])
    except (ValueError, KeyError, IndexError):
        return Result(pool, nodes, "bandwidth", "not run", why or "no result in its output")
    if not measured.get("correct", True):
        return Result(pool, nodes, "bandwidth", "failed", "the result of the operation is wrong")
    text = f"{measured.get('collective')}: {value:.0f} GB/s"
    if expected is None:
        return Result(pool, nodes, "bandwidth", "ok", f"{text}; no published value to compare with")
    least = tolerated * float(expected["gb_per_second"])
    return Result(
        pool,
        nodes,
        "bandwidth",
        "ok" if value >= least else "failed",
        f"{text}; expected {expected['gb_per_second']:.0f} GB/s, at least {least:.0f}",
    )


def _categories(document: Any) -> list[Any]:
    # DCGM 3 and 4.
    inside = document.get("DCGM Diagnostic", document.get("DCGM GPU Diagnostic"))
    return list(inside["test_categories"])


def _statuses(test: Mapping[str, Any]) -> set[str]:
    return {str(result.get("status", "")).lower() for result in test.get("results") or ()}


def _warnings(test: Mapping[str, Any]) -> str:
    texts: list[str] = []
    for result in test.get("results") or ():
        warnings = result.get("warnings") or []
        for warning in warnings if isinstance(warnings, list) else [warnings]:
            texts.append(str(warning.get("warning", warning)) if isinstance(warning, dict) else str(warning))
    return ", ".join(dict.fromkeys(texts)) or "failed"

"""What a check of accelerators found: by conditions and events of nodes, and by the output of tests. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Outcome = Literal["ok", "failed", "not run"]
FATAL_XIDS: Final = frozenset(
    {46, 48, 54, 62, 63, 64, 74, 79, 95, 109, 110, 119, 120, 136, 140, 142, 143, 151, 155, 156, 158}
)
"""XID errors after which EKS replaces a node (aws/eks-node-monitoring-agent, dcgm_policies.go, commit
51af549). Others may be errors of the program."""
_XID: Final = re.compile(r"XID(?: \(PCI:[^)]*\))?[-:= (]*(\d+)", re.IGNORECASE)
"""Events of EKS ("NvidiaXID79Error"), of GKE ("Caught XID error, XID=79") and of the kernel
("NVRM: Xid (PCI:0000:53:00): 79")."""
_HARDWARE: Final = "AcceleratedHardwareReady"
"""The condition of EKS's node monitoring agent."""
_XID_CONDITION: Final = "XidCriticalError"
"""The condition of GKE's device plugin, which a node has after such an error only; its reason has the numbers
(GoogleCloudPlatform/container-engine-accelerators, pkg/gpu/nvidia/health_check)."""
GPU_TESTS: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("software",),
    2: ("memory", "pcie"),
    3: ("memory", "pcie", "diagnostic", "targeted_stress", "targeted_power"),
}
"""Level of dcgmi diag -> the tests that every GPU has to pass. Others depend on the model or on further
software (NVIDIA/DCGM, nvvs/src/NvidiaValidationSuite.cpp, FillTestVectors)."""
HARDWARE_TESTS: Final = ("memory", "copies", "products")
"""The tests with PyTorch that every GPU has to pass (aiplatform.gpu_hardware)."""
_NETWORK: Final = re.compile(r"NCCL INFO .*?(?:Using network |via NET/)([^/\n]+)")
"""The network that NCCL uses, in its log."""
_TCP: Final = "Socket"


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
    silent = "" if _HARDWARE in conditions else "Ready; no agent reports the state of its hardware"
    yield Result(pool, name, "node", "failed" if wrong else "ok", "; ".join(wrong) or silent)
    allocatable: Mapping[str, str] = node.status.allocatable or {}
    missing = [
        f"{resource}: {allocatable.get(resource, 0)} of {quantity}"
        for resource, quantity in expected.items()
        if int(allocatable.get(resource, 0)) < quantity
    ]
    yield Result(pool, name, "devices", "failed" if missing else "ok", ", ".join(missing))


def of_xids(pool: str, node: Any, events: Iterable[Any]) -> Result:
    """Return the XID errors in the conditions and events of a node. Events are deleted after an hour."""
    conditions = {condition.type: condition for condition in node.status.conditions or ()}
    critical = conditions.get(_XID_CONDITION)
    if critical is not None and critical.status != "True":
        critical = None
    texts = [f"{event.reason or ''} {event.message or ''}" for event in events]
    numbers = {int(number[1]) for text in texts for number in _XID.finditer(text)}
    if critical is not None:
        numbers |= {int(number) for number in re.findall(r"\d+", critical.reason or "")}
    detail = f"XID {', '.join(map(str, sorted(numbers)))}" if numbers else ""
    name = node.metadata.name
    if critical is not None or numbers & FATAL_XIDS:
        return Result(pool, name, "XID", "failed", detail or f"{_XID_CONDITION} is True")
    if not (numbers or {_HARDWARE, _XID_CONDITION} & conditions.keys()):
        return Result(pool, name, "XID", "not run", "nothing on the node is known to report XID errors")
    return Result(pool, name, "XID", "ok", detail or "none in the events of the last hour")


def of_diagnostics(
    pool: str, node: str, output: str | None, why: str = "", *, level: int, gpus: int
) -> Result:
    """Return the result of `dcgmi diag --json`. output: of its Pod; None where it did not run, for a
    reason. gpus: of the node, each of which has to pass the tests of the level."""

    def not_run(detail: str) -> Result:
        return Result(pool, node, "diagnostics", "not run", detail)

    if output is None:
        return not_run(why)
    begin, end = output.find("{"), output.rfind("}")
    try:
        inside = _inside(json.loads(output[begin : end + 1]))
        if error := inside.get("runtime_error"):
            return not_run(f"dcgmi: {error}")
        tests = [test for entry in inside["test_categories"] for test in entry["tests"]]
        failed = [f"{test['name']}: {_warnings(test)}" for test in tests if "fail" in _statuses(test)]
        passed = {_identifier(test["name"]): _passed(test) for test in tests}
    except (ValueError, KeyError, TypeError, AttributeError):
        last = output.strip().splitlines()[-1:] or ["no output"]
        return not_run(f"unreadable output: {last[0]}")
    if failed:
        return Result(pool, node, "diagnostics", "failed", "; ".join(failed))
    missing = [
        f"{name} on {passed.get(name, 0)} of {gpus} GPUs"
        for name in GPU_TESTS[level]
        if passed.get(name, 0) < gpus
    ]
    if missing:
        return not_run(f"passed {', '.join(missing)}")
    return Result(pool, node, "diagnostics", "ok", f"{', '.join(GPU_TESTS[level])} on {gpus} GPUs")


def of_hardware(pool: str, node: str, output: str | None, why: str = "", *, gpus: int) -> Result:
    """Return the result of the test with PyTorch (aiplatform.gpu_hardware). Arguments: as for dcgmi."""
    lines = [line for line in (output or "").splitlines() if line.startswith("{")]
    try:
        report: Mapping[str, Any] = json.loads(lines[-1])
        failed = [f"GPU {entry['gpu']}: {entry['test']}: {entry['reason']}" for entry in report["failed"]]
        passed = {test: len(report["passed"][test]) for test in HARDWARE_TESTS}
        speeds = ", ".join(f"{kind} {speed} GB/s" for kind, speed in report["gb_per_second"].items())
        profiles = Counter(part["profile"] for part in report.get("partitions", ()))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        last = (output or "").strip().splitlines()[-1:]
        return Result(pool, node, "diagnostics", "not run", why or (last or ["no output"])[0])
    if failed:
        return Result(pool, node, "diagnostics", "failed", "; ".join(failed))
    missing = [f"{test} on {count} of {gpus} GPUs" for test, count in passed.items() if count < gpus]
    if missing:
        return Result(pool, node, "diagnostics", "not run", f"passed {', '.join(missing)}")
    tested = ", ".join(f"{count} partitions {profile}" for profile, count in sorted(profiles.items()))
    detail = (
        f"{', '.join(HARDWARE_TESTS)} on {tested or f'{gpus} GPUs'}, {report.get('rounds')} rounds; {speeds}"
    )
    return Result(pool, node, "diagnostics", "ok", detail)


def of_bandwidth(
    pool: str,
    output: str | None,
    expected: Mapping[str, Any] | None,
    tolerated: float,
    why: str = "",
    *,
    nodes: str,
) -> Result:
    """Return the result of the bandwidth test between nodes. expected: as `gpu_tests.Bandwidth`; None where
    none is published: then the log of NCCL has to state a network other than TCP."""
    lines = [line for line in (output or "").splitlines() if line.startswith("{")]
    try:
        measured: Mapping[str, Any] = json.loads(lines[-1])
        value = float(measured["bus_bandwidth_gb_per_second"])
    except (ValueError, KeyError, IndexError):
        return Result(pool, nodes, "bandwidth", "not run", why or "no result in its output")
    if not measured.get("correct", True):
        return Result(pool, nodes, "bandwidth", "failed", "the result of the operation is wrong")
    text = f"{measured.get('collective')}: {value:.0f} GB/s"
    networks = sorted({network.strip() for network in _NETWORK.findall(output or "")})
    if _TCP in networks:
        return Result(pool, nodes, "bandwidth", "failed", f"{text}; NCCL uses TCP ({_TCP})")
    if expected is None:
        text += "; no published value to compare with"
        if not networks:
            return Result(pool, nodes, "bandwidth", "not run", f"{text}, and no network in NCCL's log")
        return Result(pool, nodes, "bandwidth", "ok", f"{text}; network {', '.join(networks)}")
    least = tolerated * float(expected["gb_per_second"])
    return Result(
        pool,
        nodes,
        "bandwidth",
        "ok" if value >= least else "failed",
        f"{text}; expected {expected['gb_per_second']:.0f} GB/s, at least {least:.0f}",
    )


def _inside(document: Any) -> Mapping[str, Any]:
    # DCGM 4 and 3.
    return document.get("DCGM Diagnostic") or document["DCGM GPU Diagnostic"]


def _identifier(name: str) -> str:
    """Return the name of a test in DCGM 4; DCGM 3 has titles ("GPU Memory", "Targeted Stress")."""
    return name.lower().removeprefix("gpu ").replace(" ", "_")


def _results(test: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the results of a test by GPU, and its summary: errors without a GPU are in that only."""
    return [*(test.get("results") or ()), test.get("test_summary") or {}]


def _statuses(test: Mapping[str, Any]) -> set[str]:
    return {str(result.get("status", "")).lower() for result in _results(test)}


def _passed(test: Mapping[str, Any]) -> int:
    """Return the number of entities that passed a test."""
    results = test.get("results") or ()
    return sum(str(result.get("status", "")).lower() == "pass" for result in results)


def _warnings(test: Mapping[str, Any]) -> str:
    texts: list[str] = []
    for result in _results(test):
        warnings = result.get("warnings") or []
        for warning in warnings if isinstance(warnings, list) else [warnings]:
            texts.append(str(warning.get("warning", warning)) if isinstance(warning, dict) else str(warning))
    return ", ".join(dict.fromkeys(texts)) or "failed"

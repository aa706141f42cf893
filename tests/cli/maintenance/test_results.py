"""What a check of accelerators reports."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli.maintenance import results
from cli.maintenance.results import Result

EXPECTED = {"collective": "all_reduce", "gib": 8, "gb_per_second": 479.3, "source": "x"}


def node(conditions: dict[str, str], **allocatable: str) -> Any:
    states = [
        SimpleNamespace(type=kind, status=status, message="NvidiaXID79Error", reason="x")
        for kind, status in conditions.items()
    ]
    status = SimpleNamespace(
        conditions=states, allocatable={key.replace("_", "/"): value for key, value in allocatable.items()}
    )
    return SimpleNamespace(metadata=SimpleNamespace(name="n"), status=status)


def event(reason: str, message: str = "") -> Any:
    return SimpleNamespace(reason=reason, message=message)


def diagnostics(*tests: dict[str, Any]) -> str:
    body = {"DCGM Diagnostic": {"test_categories": [{"category": "Hardware", "tests": list(tests)}]}}
    return f"a line before it\n{json.dumps(body)}\n"


def bandwidth(value: float, **more: Any) -> str:
    measured = {"collective": "all_reduce", "bus_bandwidth_gb_per_second": value, "correct": True, **more}
    return f"NCCL INFO\n{json.dumps(measured)}"


def test_node_with_a_gpu_fault_fails_with_the_condition() -> None:
    state, devices = results.of_node("p", node({"Ready": "True", "AcceleratedHardwareReady": "False"}), {})
    assert (state.outcome, devices.outcome) == ("failed", "ok")
    assert state.detail == "AcceleratedHardwareReady is False: NvidiaXID79Error"


def test_node_without_the_condition_is_judged_by_the_others() -> None:
    state, _ = results.of_node("p", node({"Ready": "True"}), {})
    assert state.outcome == "ok", "GKE's nodes have no such condition"


def test_missing_devices_fail() -> None:
    _, devices = results.of_node(
        "p", node({"Ready": "True"}, efa_x="32", gpu_x="7"), {"gpu/x": 8, "efa/x": 32}
    )
    assert (devices.outcome, devices.detail) == ("failed", "gpu/x: 7 of 8")


@pytest.mark.parametrize(
    ("events", "outcome", "detail"),
    [
        ([], "ok", ""),
        ([event("NvidiaXID79Error")], "failed", "XID 79"),
        ([event("GPU", "NVRM: Xid (PCI:0000:53:00): 94, pid=1")], "ok", ""),
        (
            [event("x", "detected XID-48 on the instance"), event("NvidiaXID13Warning")],
            "failed",
            "XID 13, 48",
        ),
        ([event("NvidiaXID13Warning")], "ok", "XID 13"),
    ],
)
def test_errors_of_hardware_in_events_fail(events: list[Any], outcome: str, detail: str) -> None:
    (result,) = results.of_events("p", "n", events)
    assert (result.outcome, result.detail) == (outcome, detail)


def test_diagnostics_pass_with_the_number_of_tests() -> None:
    output = diagnostics(
        {"name": "software", "results": [{"status": "Pass"}, {"status": "Skip"}]},
        {"name": "memory", "results": [{"status": "Pass"}]},
    )
    assert results.of_diagnostics("p", "n", output) == Result("p", "n", "diagnostics", "ok", "2 tests")


@pytest.mark.parametrize(
    "warnings", ["row remapping failed", ["row remapping failed"], [{"warning": "row remapping failed"}]]
)
def test_diagnostics_fail_with_their_warnings(warnings: Any) -> None:
    output = diagnostics(
        {"name": "memory", "results": [{"status": "Pass"}, {"status": "Fail", "warnings": warnings}]}
    )
    result = results.of_diagnostics("p", "n", output)
    assert (result.outcome, result.detail) == ("failed", "memory: row remapping failed")


@pytest.mark.parametrize(
    "output", ["", "Error: unable to establish a connection", diagnostics(), diagnostics({"name": "x"}), "{}"]
)
def test_diagnostics_without_a_test_that_passed_are_no_success(output: str) -> None:
    assert results.of_diagnostics("p", "n", output).outcome == "not run"


def test_diagnostics_that_did_not_start_state_why() -> None:
    result = results.of_diagnostics("p", "n", None, "it waits in its queue")
    assert (result.outcome, result.detail) == ("not run", "it waits in its queue")


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        (bandwidth(470), "ok"),
        (bandwidth(384), "ok"),
        (bandwidth(383), "failed"),
        (bandwidth(25), "failed"),
        (bandwidth(470, correct=False), "failed"),
        ("Traceback", "not run"),
        ("{broken", "not run"),
        (None, "not run"),
    ],
)
def test_bandwidth_is_compared_with_the_published_value(output: str | None, outcome: str) -> None:
    assert results.of_bandwidth("p", output, EXPECTED, 0.8).outcome == outcome


def test_bandwidth_without_a_published_value_is_only_reported() -> None:
    result = results.of_bandwidth("p", bandwidth(25), None, 0.8)
    assert result.outcome == "ok"
    assert "no published value" in result.detail


@pytest.mark.parametrize(
    ("outcomes", "code"), [(["ok"], 0), (["ok", "not run"], 3), (["not run", "failed"], 1), ([], 0)]
)
def test_exit_code_states_the_worst_result(outcomes: list[Any], code: int) -> None:
    assert results.exit_code(Result("p", "n", "c", outcome) for outcome in outcomes) == code

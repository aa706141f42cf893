"""What a check of accelerators reports."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from aiplatform.observability.rules.gpu import HARDWARE_XIDS
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


def test_node_whose_hardware_nobody_reports_says_so() -> None:
    state, _ = results.of_node("p", node({"Ready": "True"}), {})
    assert state.detail == "Ready; no agent reports the state of its hardware"


NONE = "none in the events of the last hour"


@pytest.mark.parametrize(
    ("events", "outcome", "detail"),
    [
        ([], "ok", NONE),
        ([event("NvidiaXID79Error")], "failed", "XID 79"),
        ([event("XIDError", "Caught XID error, XID=79")], "failed", "XID 79"),
        ([event("GPU", "NVRM: Xid (PCI:0000:53:00): 94, pid=1")], "ok", "XID 94"),
        ([event("GPU", "NVRM: Xid (PCI:0000:53:00): 79, pid=1")], "failed", "XID 79"),
        (
            [event("x", "detected XID-48 on the instance"), event("NvidiaXID13Warning")],
            "failed",
            "XID 13, 48",
        ),
        ([event("NvidiaXID13Warning")], "ok", "XID 13"),
    ],
)
def test_errors_of_hardware_in_events_fail(events: list[Any], outcome: str, detail: str) -> None:
    result = results.of_xids("p", node({"AcceleratedHardwareReady": "True"}), events)
    assert (result.outcome, result.detail) == (outcome, detail)


def test_node_without_a_reporter_of_xids_is_not_checked_for_them() -> None:
    result = results.of_xids("p", node({"Ready": "True"}), [])
    assert (result.outcome, result.detail) == ("not run", "nothing on the node is known to report XID errors")


@pytest.mark.parametrize(
    ("status", "reason", "outcome", "detail"),
    [
        ("True", '{"63":true,"79":true}', "failed", "XID 63, 79"),
        ("True", '{"123":true}', "failed", "XID 123"),
        ("True", "", "failed", "XidCriticalError is True"),
        ("False", "", "ok", NONE),
    ],
)
def test_condition_of_the_device_plugin_of_gke_fails(
    status: str, reason: str, outcome: str, detail: str
) -> None:
    broken = node({"Ready": "True", "XidCriticalError": status})
    broken.status.conditions[1].reason = reason
    result = results.of_xids("p", broken, [])
    assert (result.outcome, result.detail) == (outcome, detail)


def passed(name: str, gpus: int = 2, **more: Any) -> dict[str, Any]:
    return {"name": name, "results": [{"status": "Pass"}] * gpus, **more}


def diagnosed(output: str | None, why: str = "", level: int = 2) -> Result:
    return results.of_diagnostics("p", "n", output, why, level=level, gpus=2)


def test_diagnostics_pass_where_every_gpu_passed_the_tests_of_the_level() -> None:
    tests = [passed("software"), passed("memory"), passed("pcie")]
    assert diagnosed(diagnostics(*tests)) == Result("p", "n", "diagnostics", "ok", "memory, pcie on 2 GPUs")
    assert diagnosed(diagnostics(*tests), level=3).outcome == "not run"
    assert diagnosed(diagnostics(passed("software")), level=1).outcome == "ok"
    titles = diagnostics(passed("GPU Memory"), passed("PCIe"))
    assert diagnosed(titles).outcome == "ok", "the names of DCGM 3"


@pytest.mark.parametrize(
    ("tests", "detail"),
    [
        ([passed("software")], "passed memory on 0 of 2 GPUs, pcie on 0 of 2 GPUs"),
        ([passed("memory"), passed("pcie", 1)], "passed pcie on 1 of 2 GPUs"),
        (
            [passed("memory"), {"name": "pcie", "results": [{"status": "Skip"}] * 2}],
            "passed pcie on 0 of 2 GPUs",
        ),
    ],
)
def test_diagnostics_that_left_out_a_gpu_are_no_success(tests: list[Any], detail: str) -> None:
    result = diagnosed(diagnostics(*tests))
    assert (result.outcome, result.detail) == ("not run", detail)


@pytest.mark.parametrize(
    "warnings", ["row remapping failed", ["row remapping failed"], [{"warning": "row remapping failed"}]]
)
@pytest.mark.parametrize("summary", [False, True])
def test_diagnostics_fail_with_their_warnings(warnings: Any, summary: bool) -> None:
    failure = {"status": "Fail", "warnings": warnings}
    test = {"name": "memory", "results": [{"status": "Pass"}] * 2}
    if summary:
        test["test_summary"] = failure
    else:
        test["results"] = [{"status": "Pass"}, failure]
    result = diagnosed(diagnostics(test, passed("pcie")))
    assert (result.outcome, result.detail) == ("failed", "memory: row remapping failed")


@pytest.mark.parametrize(
    "output",
    ["", "Error: unable to establish a connection", diagnostics(), diagnostics({"name": "x"}), "{}", "[]"],
)
def test_diagnostics_without_a_test_that_passed_are_no_success(output: str) -> None:
    assert diagnosed(output).outcome == "not run"


def test_error_of_the_engine_is_shown() -> None:
    output = json.dumps({"DCGM Diagnostic": {"runtime_error": "Cannot load plugins", "version": "4.6.0"}})
    assert diagnosed(output).detail == "dcgmi: Cannot load plugins"


def test_diagnostics_that_did_not_start_state_why() -> None:
    result = diagnosed(None, "it waits in its queue")
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
    assert results.of_bandwidth("p", output, EXPECTED, 0.8, nodes="n0, n1").outcome == outcome


@pytest.mark.parametrize(
    ("log", "outcome", "detail"),
    [
        ("", "not run", "and no network in NCCL's log"),
        ("n0:1:9 [0] NCCL INFO Using network AWS Libfabric", "ok", "network AWS Libfabric"),
        (
            "n0:1:9 [0] NCCL INFO Channel 00/0 : 1[1] -> 8[0] [send] via NET/FasTrak/0/GDRDMA",
            "ok",
            "network FasTrak",
        ),
        ("n0:1:9 [0] NCCL INFO Using network Socket", "failed", "NCCL uses TCP (Socket)"),
        (
            "n0:1:9 [0] NCCL INFO Channel 00/0 : 0[0] -> 8[0] [send] via NET/Socket/0",
            "failed",
            "NCCL uses TCP",
        ),
    ],
)
def test_bandwidth_without_a_published_value_is_evaluated_by_its_network(
    log: str, outcome: str, detail: str
) -> None:
    result = results.of_bandwidth("p", f"{log}\n{bandwidth(25)}", None, 0.8, nodes="n0, n1")
    assert (result.outcome, result.node) == (outcome, "n0, n1")
    assert detail in result.detail


def test_bandwidth_over_tcp_fails_whatever_its_value() -> None:
    output = f"n0 NCCL INFO Using network Socket\n{bandwidth(470)}"
    assert results.of_bandwidth("p", output, EXPECTED, 0.8, nodes="n0, n1").outcome == "failed"


@pytest.mark.parametrize(
    ("outcomes", "code"), [(["ok"], 0), (["ok", "not run"], 3), (["not run", "failed"], 1), ([], 0)]
)
def test_exit_code_states_the_worst_result(outcomes: list[Any], code: int) -> None:
    assert results.exit_code(Result("p", "n", "c", outcome) for outcome in outcomes) == code


def hardware(**changes: Any) -> str:
    """The output of the test with PyTorch on two GPUs."""
    report = {
        "gpus": 2,
        "passed": {test: [0, 1] for test in ("memory", "copies", "products")},
        "failed": [],
        "rounds": 3,
        "gb_per_second": {"to GPU": 25.1},
    }
    return f"a warning\n{json.dumps({**report, **changes})}\n"


def test_gpu_that_pytorch_found_wrong_fails_with_its_reason() -> None:
    failed = [{"test": "memory", "gpu": 1, "reason": "7 words differ from the pattern 0x55555555"}]
    passed = {"memory": [0], "copies": [0, 1], "products": [0, 1]}
    result = results.of_hardware("p", "n", hardware(failed=failed, passed=passed), gpus=2)
    assert (result.check, result.outcome) == ("diagnostics", "failed")
    assert result.detail == "GPU 1: memory: 7 words differ from the pattern 0x55555555"


@pytest.mark.parametrize(
    ("output", "why", "detail"),
    [
        (hardware(), "", "passed memory on 2 of 8 GPUs, copies on 2 of 8 GPUs, products on 2 of 8 GPUs"),
        (
            "the container has no GPU that PyTorch can use",
            "",
            "the container has no GPU that PyTorch can use",
        ),
        ("", "", "no output"),
        ("{}", "", "{}"),
        (None, "it waits in its queue", "it waits in its queue"),
    ],
)
def test_pytorch_that_did_not_test_all_gpus_is_no_success(output: str | None, why: str, detail: str) -> None:
    result = results.of_hardware("p", "n", output, why, gpus=8)
    assert (result.outcome, result.detail) == ("not run", detail)


def test_checks_and_alerts_have_the_same_errors_of_the_hardware() -> None:
    assert set(HARDWARE_XIDS) == results.FATAL_XIDS, "the command imports no component"

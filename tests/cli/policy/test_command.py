"""`aiplatform policy` as CI sees it: its exit code, and what it does not begin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app as application
from cli.output import CommandError
from cli.policy import command
from twin import lifecycle
from twin.processes import ProcessError

RUNNER = CliRunner()
END = {"summaryEvent": {"result": "succeeded"}}
FAULT = {
    "policyEvent": {
        "resourceUrn": "urn:pulumi:aws-dev::ai-platform::aws:s3/bucket:Bucket::lake",
        "message": "acl: is public",
        "policyName": "data.close",
        "enforcementLevel": "mandatory",
        "severity": "high",
    }
}
Tells = Callable[..., None]


@pytest.fixture
def tells(monkeypatch: pytest.MonkeyPatch) -> Tells:
    """Let the engine tell these events, or raise this."""

    def tell(*events: dict[str, Any] | BaseException) -> None:
        def preview(*_: object) -> Iterator[str]:
            for event in events:
                if isinstance(event, BaseException):
                    raise event
                yield json.dumps(event)

        monkeypatch.setattr(command, "started", lambda name: name)
        monkeypatch.setattr(command, "_preview", preview)
        # No process of such a twin runs, and none has ended.
        monkeypatch.setattr(lifecycle, "ended", lambda world: [])

    return tell


def _run(*options: str) -> Any:
    return RUNNER.invoke(application.app, ["policy", "aws-dev", *options])


@pytest.mark.parametrize(
    ("events", "code", "says"),
    [
        ([END], 0, "aws-dev: no fault; it may go on"),
        ([FAULT, END], 1, "aws-dev: 1 mandatory and 0 advisory fault(s); it may not go on"),
        ([], 2, "it broke off before its end"),
        ([FAULT], 1, "not all was judged"),
        ([{"diagnosticEvent": {"severity": "error", "message": "no such zone"}}, END], 2, "no such zone"),
        ([KeyboardInterrupt()], 130, "interrupted: the preview has ended"),
    ],
)
def test_the_exit_code_tells_a_fault_from_a_preview_that_went_wrong(
    tells: Tells, events: Any, code: int, says: str
) -> None:
    tells(*events)
    done = _run()
    assert done.exit_code == code, done.output
    assert says in done.output


@pytest.mark.parametrize("option", ["--sarif", "--junit", "--config"])
def test_nothing_is_started_for_a_file_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    def started(name: str) -> None:
        raise AssertionError(f"a twin was started for {name}")

    monkeypatch.setattr(command, "started", started)
    done = _run(option, str(tmp_path / "none" / "file"))
    assert isinstance(done.exception, CommandError), done.output
    assert done.exception.code == 2, "1 would be a fault of the environment's"
    assert option in str(done.exception)


def test_a_twin_that_does_not_start_is_no_fault_of_the_environment(tells: Tells) -> None:
    tells(ProcessError("etcd ended"))
    done = _run()
    assert isinstance(done.exception, CommandError)
    assert (str(done.exception), done.exception.code) == ("etcd ended", 2)


def test_one_file_cannot_be_both_reports(tells: Tells, tmp_path: Path) -> None:
    tells(END)
    file = str(tmp_path / "report")
    assert "expected two files" in str(_run("--sarif", file, "--junit", file).exception)


def test_a_report_that_finds_no_room_is_told(
    tells: Tells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_text(*_: object) -> None:
        raise OSError("No space left on device")

    tells(END)
    monkeypatch.setattr(Path, "write_text", write_text)
    done = _run("--sarif", str(tmp_path / "policy.sarif"))
    assert "the report could not be written: No space left on device" in str(done.exception)

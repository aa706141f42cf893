"""`aiplatform policy` as used by CI: its exit codes, and what is checked before it starts anything."""

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
VIOLATION = {
    "policyEvent": {
        "resourceUrn": "urn:pulumi:aws-dev::ai-platform::aws:s3/bucket:Bucket::lake",
        "message": "acl: is public",
        "policyName": "data.close",
        "enforcementLevel": "mandatory",
        "severity": "high",
    }
}
SetEvents = Callable[..., None]


@pytest.fixture
def set_events(monkeypatch: pytest.MonkeyPatch) -> SetEvents:
    """Set the events of the engine's preview; an exception among them is raised."""

    def replace(*events: dict[str, Any] | BaseException) -> None:
        def preview(*_: object) -> Iterator[str]:
            for event in events:
                if isinstance(event, BaseException):
                    raise event
                yield json.dumps(event)

        monkeypatch.setattr(command, "started", lambda name: name)
        monkeypatch.setattr(command, "_preview", preview)
        # No process of such a twin runs, and none has ended.
        monkeypatch.setattr(lifecycle, "ended", lambda instance: [])

    return replace


def _run(*options: str) -> Any:
    return RUNNER.invoke(application.app, ["policy", "aws-dev", *options])


@pytest.mark.parametrize(
    ("events", "code", "message"),
    [
        ([END], 0, "aws-dev: no violations; update allowed"),
        ([VIOLATION, END], 1, "aws-dev: 1 mandatory and 0 advisory violation(s); update refused"),
        ([], 2, "the engine ended early"),
        ([VIOLATION], 1, "the evaluation is incomplete"),
        ([{"diagnosticEvent": {"severity": "error", "message": "no such zone"}}, END], 2, "no such zone"),
        ([KeyboardInterrupt()], 130, "interrupted: the preview has ended"),
    ],
)
def test_exit_code_distinguishes_a_violation_from_a_failed_preview(
    set_events: SetEvents, events: Any, code: int, message: str
) -> None:
    set_events(*events)
    done = _run()
    assert done.exit_code == code, done.output
    assert message in done.output


@pytest.mark.parametrize("option", ["--sarif", "--junit", "--config"])
def test_unusable_file_is_refused_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    def started(name: str) -> None:
        raise AssertionError(f"a twin was started for {name}")

    monkeypatch.setattr(command, "started", started)
    done = _run(option, str(tmp_path / "none" / "file"))
    assert isinstance(done.exception, CommandError), done.output
    assert done.exception.code == 2, "1 would mean a violation"
    assert option in str(done.exception)


def test_failed_start_of_the_twin_is_not_reported_as_a_violation(set_events: SetEvents) -> None:
    set_events(ProcessError("etcd ended"))
    done = _run()
    assert isinstance(done.exception, CommandError)
    assert (str(done.exception), done.exception.code) == ("etcd ended", 2)


def test_same_file_for_both_reports_is_refused(set_events: SetEvents, tmp_path: Path) -> None:
    set_events(END)
    file = str(tmp_path / "report")
    assert "expected two files" in str(_run("--sarif", file, "--junit", file).exception)


def test_failed_write_of_a_report_is_reported(
    set_events: SetEvents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_text(*_: object) -> None:
        raise OSError("No space left on device")

    set_events(END)
    monkeypatch.setattr(Path, "write_text", write_text)
    done = _run("--sarif", str(tmp_path / "policy.sarif"))
    assert "the report could not be written: No space left on device" in str(done.exception)

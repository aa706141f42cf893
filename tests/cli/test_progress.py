"""Progress of long steps."""

from __future__ import annotations

import io
import re

import pytest

from cli import progress


def test_off_a_terminal_a_step_is_a_plain_line_with_the_elapsed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHORT_SECONDS", 0)
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0)
    stream = io.StringIO()
    with progress.show_progress(stream) as steps, steps.step("control plane") as step:
        step.update("compiling etcd")
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("] control plane: compiling etcd")
    assert "] control plane: done in 0.0 s" in lines[1]
    assert "\x1b" not in stream.getvalue(), "no colours in a log file"


def test_off_a_terminal_a_step_in_progress_is_logged_rarely() -> None:
    stream = io.StringIO()
    with progress.show_progress(stream) as steps, steps.step("build") as step:
        for number in range(1000):
            step.update(f"compiling {number}")
    assert stream.getvalue() == "", "a thousand packages compile within seconds"


def test_failed_step_is_reported() -> None:
    stream = io.StringIO()
    with (
        pytest.raises(ValueError, match="boom"),
        progress.show_progress(stream) as steps,
        steps.step("build"),
    ):
        raise ValueError("boom")
    assert stream.getvalue().endswith("build: failed\n")


def test_on_a_terminal_a_finished_step_leaves_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(progress, "SHORT_SECONDS", 0)
    stream = Terminal()
    with progress.show_progress(stream) as steps, steps.step("control plane") as step:
        step.update("starting")
    assert re.search(r"✓\S* control plane", stream.getvalue())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.6, "1 min 00 s"), (725, "12 min 05 s")],
)
def test_duration_is_formatted_with_minutes_and_seconds(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text

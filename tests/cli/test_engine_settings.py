"""What the engine saves in each command, and how much memory it may use."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cli import engine, engine_settings, twins
from cli.app import app
from cli.engine_settings import COLLECTOR, MEMORY_TO_SPARE, SKIP_CHECKPOINTS, ignored, variables
from twin import environment, lifecycle
from twin.instances import create


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SKIP_CHECKPOINTS, raising=False)
    monkeypatch.delenv(COLLECTOR, raising=False)
    _available(monkeypatch, MEMORY_TO_SPARE)


def _available(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    memory = SimpleNamespace(available=size)
    monkeypatch.setattr(engine_settings.psutil, "virtual_memory", lambda: memory)


def test_a_preview_skips_checkpoints() -> None:
    assert variables(["preview", "--stack", "aws-dev"], {})[SKIP_CHECKPOINTS] == "true"


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--yes", "--skip-preview"],
        ["up"],
        ["refresh", "--yes"],
        ["destroy", "--yes"],
        ["import", "preview", "x"],
        ["-C", "preview", "up"],
        ["stack", "export"],
        [],
    ],
)
def test_a_command_that_saves_keeps_every_checkpoint(arguments: list[str]) -> None:
    assert SKIP_CHECKPOINTS not in variables(arguments, {})


def test_the_collector_runs_less_often_where_memory_is_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    assert variables(["up"], {})[COLLECTOR] == "400"
    assert COLLECTOR not in variables(["up"], {COLLECTOR: "50"}), "the user's own value counts"
    _available(monkeypatch, MEMORY_TO_SPARE - 1)
    assert COLLECTOR not in variables(["up"], {})


def test_a_users_own_wish_to_skip_checkpoints_reaches_no_update_and_that_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    monkeypatch.setenv(SKIP_CHECKPOINTS, "true")
    instance = create("one")
    seen: list[dict[str, str]] = []

    def stream(command: object, env: dict[str, str], watch: object) -> int:
        seen.append(env)
        return 0

    monkeypatch.setattr(engine, "stream", stream)
    monkeypatch.setattr(engine, "ensure_stack", lambda *_: "file")
    for command in ("up", "refresh", "destroy"):
        engine.run(instance, "one", [command, "--yes"])
        assert SKIP_CHECKPOINTS not in seen[-1], command
        assert f"{SKIP_CHECKPOINTS} is not passed on: `{command}`" in capfd.readouterr().err
    engine.run(instance, "one", ["preview"])
    assert seen[-1][SKIP_CHECKPOINTS] == "true"
    assert capfd.readouterr().err == "", "a preview does what was asked"
    assert SKIP_CHECKPOINTS in environment.foreign(), "and a shell in the twin loses it"
    assert ignored(["up"], {}) == ""


@pytest.mark.parametrize(("command", "skips"), [("preview", True), ("up", False), ("destroy", False)])
def test_a_plain_pulumi_command_in_the_twin_is_treated_alike(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, command: str, skips: bool
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    monkeypatch.setenv(SKIP_CHECKPOINTS, "true")
    monkeypatch.setattr(lifecycle, "start", lambda *_: None)
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(twins, "_become", lambda _, env: seen.append(env))
    done = CliRunner().invoke(app, ["twin", "run", "--name", "one", "--", "pulumi", command, "-s", "mine"])
    assert done.exit_code == 0, done.output
    assert (SKIP_CHECKPOINTS in seen[0]) == skips
    assert ("is not passed on" in done.output) == (not skips)

"""The commands `model ...`: what they refuse, what they run, and what they print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app as application
from cli.model import command
from cli.output import CommandError

RUNNER = CliRunner()
ENTRY = {
    **{"team": "pricing", "model": "fares", "version": "7", "alias": "champion", "action": "promote"},
    **{"approved_by": "ada", "previous": "6", "at": "2026-01-01T00:00:00Z"},
}
RELEASE = {
    **{"version": "7", "finished": True, "files": 3, "bytes": 5 << 20, "source": {"kind": "mlflow"}},
    "lineage": {"code_commit": "0123456789abcdef" * 2, "run": "r1", "metrics": {"auc": 0.81234567}},
    "card": {"licence": "apache-2.0"},
}
UNFINISHED = {**RELEASE, "version": "8", "finished": False}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The arguments of the Jobs that commands run."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    commands: list[list[str]] = []
    results: dict[str, Any] = {
        "list": [
            {"model": "pricing/fares", "releases": 2, "aliases": {"champion": "7"}, "last_promotion": None}
        ],
        "show": {"releases": [RELEASE, UNFINISHED], "imports": ["hf-1"], "promotions": [ENTRY]},
        "import": {"version": "hf-1", "files": 5},
    }

    class Releases:
        def run(self, arguments: Sequence[str], *, label: str, disk_gib: int = 10) -> Any:
            commands.append([*arguments, *([f"({disk_gib} GiB)"] if disk_gib != 10 else [])])
            return results.get(arguments[0], ENTRY)

    monkeypatch.setattr(command, "_releases", lambda *_: Releases())
    monkeypatch.setattr(command, "_services", lambda *_: Services())
    return commands


class Services:
    """Services of a team. versions: service -> the version that its requests go back to."""

    def __init__(self, versions: dict[str, str | None] | None = None) -> None:
        self.versions = versions or {}
        self.namespace = "pricing"
        self.calls: list[str] = []

    def serving(self, model: str) -> dict[str, Any]:
        assert model == "fares"
        return {name: {} for name in self.versions}

    def move_back(self, service: str, leaves: str) -> str | None:
        self.calls.append(f"move {service} {leaves}".strip())
        return self.versions[service]

    def submit(self, service: str, template: Any, version: str) -> str:
        self.calls.append(f"submit {service} {version}")
        return f"rollback-{service}-1"


def run(*arguments: str) -> Any:
    result = RUNNER.invoke(application.app, ["model", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_disk_of_a_job_is_that_of_the_largest_file(ran: list[list[str]]) -> None:
    run("promote", "aws-dev", "pricing/fares", "7", "--disk", "60")
    assert ran[-1][-1] == "(60 GiB)"


def test_promotion_is_printed_with_its_approver(ran: list[list[str]]) -> None:
    output = run("promote", "aws-dev", "pricing/fares", "7")
    assert output == "pricing/fares 7 is champion, approved by ada; previous 6\n"
    [arguments] = ran
    assert arguments[-3:] == ["--", "pricing/fares", "7"]
    assert arguments[:3] == ["promote", "--alias", "champion"]


def test_each_command_is_one_request_so_that_a_repeated_pod_is_not_a_second_one(ran: list[list[str]]) -> None:
    for _ in range(2):
        run("rollback", "aws-dev", "pricing/fares")
    first, second = (arguments[arguments.index("--request") + 1] for arguments in ran)
    assert len(first) == len(second) == 32
    assert first != second


def test_version_that_a_rollback_leaves_is_passed_on(ran: list[list[str]]) -> None:
    run("rollback", "aws-dev", "pricing/fares", "--from", "7")
    assert "--from 7 -- pricing/fares" in " ".join(ran[0]), "repeated, it goes back once"


def test_rollback_moves_requests_before_the_alias(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services({"fares": "7"})
    monkeypatch.setattr(command, "_services", lambda *_: services)
    output = run("rollback", "aws-dev", "pricing/fares", "--from", "8")
    assert services.calls == ["move fares 8"]
    assert output.splitlines()[0] == "requests to fares go to version 7"
    assert ran[0][0] == "rollback"


def test_rollback_starts_the_rollout_of_a_release_that_is_not_kept(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services({"fares": None, "other": "6"})
    monkeypatch.setattr(command, "_services", lambda *_: services)
    output = run("rollback", "aws-dev", "pricing/fares")
    assert services.calls == ["move fares", "move other", "submit fares 7", "submit other 7"]
    assert "fares: version 7 is not kept; its rollout is the workflow pricing/rollback-fares-1" in output


def test_rollback_of_another_alias_moves_no_requests(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(command, "_services")
    run("rollback", "aws-dev", "pricing/fares", "--alias", "challenger")
    assert ran[0][:3] == ["rollback", "--alias", "challenger"]


def test_comparison_is_passed_on(ran: list[list[str]]) -> None:
    options = ("--better-than", "champion", "--metric", "auc", "--margin", "0.01", "--lower-is-better")
    run("promote", "aws-dev", "pricing/fares", "7", *options)
    assert " ".join(options) in " ".join(ran[0])


def test_releases_are_printed_as_a_table_and_as_json(ran: list[list[str]]) -> None:
    assert "pricing/fares  2         champion 7" in run("list", "aws-dev")
    output = run("show", "aws-dev", "pricing/fares")
    for text in (
        "0123456789ab ",
        "auc 0.8123",
        "5.0",
        "apache-2.0",
        "unfinished",
        "not promoted: hf-1",
        "ada",
    ):
        assert text in output, text
    assert json.loads(run("show", "aws-dev", "pricing/fares", "--json"))["promotions"] == [ENTRY]
    assert run("list", "aws-dev", "--team", "pricing")
    assert ran[-1] == ["list", "pricing"]


def test_import_passes_the_card_and_no_token(ran: list[list[str]], tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    card.write_text('{"licence":\n "mit"}')
    options = ("--repository", "acme/tiny", "--revision", "a" * 40, "--card", str(card))
    assert "promote it to serve it" in run("import", "aws-dev", "pricing/tiny", *options)
    assert ran[0][ran[0].index("--card") + 1] == '{"licence": "mit"}'
    assert not any("token" in argument for argument in ran[0])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("promote", "aws-dev", "fares", "7"), "'fares': expected TEAM/MODEL"),
        (("show", "aws-dev", "pricing/../x"), "expected TEAM/MODEL"),
        (
            ("promote", "aws-dev", "a/b", "7", "--metric", "auc", "--better-than", "x", "--margin", "1.1"),
            "0 to 1",
        ),
        (
            ("promote", "aws-dev", "a/b", "7", "--metric", "m", "--better-than", "x", "--margin", "nan"),
            "0 to 1",
        ),
        (("promote", "aws-dev", "a/b", "7", "--metric", "auc"), "expected both"),
        (("promote", "aws-dev", "a/b", "7", "--margin", "0.1"), "expected both"),
        (
            ("import", "aws-dev", "a/b", "--repository", "x/y", "--revision", "main", "--card", "card.json"),
            "expected a full commit",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_a_job_is_created(
    ran: list[list[str]], arguments: tuple[str, ...], error: str
) -> None:
    with pytest.raises(CommandError, match=error):
        RUNNER.invoke(application.app, ["model", *arguments], catch_exceptions=False)
    assert ran == []


def test_environment_without_a_file_or_a_deployment_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    for environment, error in (("aws-dve", "aws-dve"), ("aws-dev", "not deployed on its twin")):
        with pytest.raises(CommandError, match=error):
            RUNNER.invoke(application.app, ["model", "list", environment], catch_exceptions=False)

"""The command line: its help, its output, its errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import admin_client, doctor, environment_files, instances, output, stacks
from cli import app as application
from cli.output import CommandError
from twin.instances import Instance, create, load

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    monkeypatch.delenv("AIPLATFORM_TWIN", raising=False)


def run(*arguments: str) -> str:
    result = RUNNER.invoke(application.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("doctor",),
        ("policy",),
        ("preflight",),
        ("upgrades",),
        ("restore",),
        ("images",),
        ("drain",),
        ("gpu", "check"),
        *(("up",), ("preview",), ("refresh",), ("destroy",)),
        *(("twin", name) for name in ("start", "stop", "status", "env", "run", "reset", "list")),
        *(
            ("twin", "fault", name)
            for name in (
                "throttle",
                "capacity",
                "slow",
                "fail",
                "late-logs",
                "new-account",
                "quota",
                "list",
                "clear",
            )
        ),
    ],
)
def test_help_of_every_command_is_complete(command: tuple[str, ...]) -> None:
    output = run(*command, "--help")
    assert "Usage" in output
    assert len(output) > 200, "the help is empty"


HEAVY = {"boto3", "botocore", "moto", "pulumi", "pulumi_aws", "kubernetes", "requests", "grpc"}
"""Packages that take a fifth of a second or more to load."""


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [("cli.app", {*HEAVY, "cryptography"}), ("cli.app, cli.engine, twin.lifecycle", HEAVY)],
    ids=["each command", "commands that run the engine on a twin"],
)
def test_the_command_starts_quickly(modules: str, heavy: set[str]) -> None:
    """Slow packages must be imported where they are used, not at each start."""
    code = f"import sys, {modules}; print([name for name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.replace("'", '"')))
    assert not heavy & loaded


def test_unknown_twin_is_refused_with_the_existing_ones() -> None:
    create("other")
    with pytest.raises(CommandError, match=r"no twin 'default'; there are: other.*twin start --name default"):
        instances.existing(None)


def test_name_of_the_twin_is_the_option_else_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_TWIN", "from-shell")
    assert instances.selected_name(None) == "from-shell"
    assert instances.selected_name("from-option") == "from-option"


def test_twin_of_an_environment_has_its_name_account_and_region() -> None:
    instance = instances.for_environment("aws-dev")
    assert instance.name == "aws-dev"
    assert instance.cloud == "aws"
    assert instance.account in environment_files.original_stack_file("aws-dev").read_text()
    assert instances.get_or_create("aws-dev") == instance, "`twin start --name aws-dev` is the same one"


def test_twin_of_an_environment_on_google_cloud_has_its_project() -> None:
    instance = instances.for_environment("gcp-dev")
    assert (instance.name, instance.cloud) == ("gcp-dev", "gcp")
    text = environment_files.original_stack_file("gcp-dev").read_text()
    assert f"project_id: {instance.account}" in text
    assert f"region: {instance.region}" in text


def test_new_twin_of_google_cloud_has_a_default_project_and_region() -> None:
    instance = instances.get_or_create("plain", cloud="gcp")
    assert (instance.region, instance.account) == ("us-central1", "twin-project")


@pytest.mark.parametrize("ask", [instances.for_environment, instances.config])
def test_unknown_environment_is_refused_with_the_near_or_the_existing_ones(ask: Any) -> None:
    with pytest.raises(CommandError, match=r"'aws-dve'.*did you mean 'aws-dev'\?"):
        ask("aws-dve")
    with pytest.raises(CommandError, match=r"'other'.*there are: .*aws-dev"):
        ask("other")


def test_status_without_a_name_is_that_of_the_only_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    only = instances.get_or_create("only")
    assert instances.existing_or_only(None) == only
    monkeypatch.setenv("AIPLATFORM_TWIN", "other")
    with pytest.raises(CommandError, match="no twin 'other'"):
        instances.existing_or_only(None)
    monkeypatch.delenv("AIPLATFORM_TWIN")
    instances.get_or_create("second")
    with pytest.raises(CommandError, match=r"no twin 'default'; there are: only, second"):
        instances.existing_or_only(None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", r"Pulumi\.bad\.yaml:\d: no valid YAML: "),
        ("config:\n\tname: bad", r"Pulumi\.bad\.yaml:2: no valid YAML: a tab; expected spaces"),
        ("config: {a: 1, a: 2}", r"Pulumi\.bad\.yaml:1: a: stated a second time"),
        ("config: {}", "environment: missing; expected"),
        ("config: {ai-platform:environment: {cloud: azure}}", "cloud: got 'azure'; expected aws or gcp"),
        (
            "config: {ai-platform:environment: {cloud: aws, account_id: '111122223333'}}",
            r"environment\.region: missing; expected",
        ),
        (
            "config: {ai-platform:environment: {cloud: aws, region: x, account_id: 123}}",
            "account_id: got 123",
        ),
        (
            "config:\n ai-platform:environment:\n  cloud: aws\n  region: x\n  account_id: 111122223333",
            r"Pulumi\.bad\.yaml:5: .*account_id: got 111122223333; expected a string: write it in quotes",
        ),
        (
            "config: {ai-platform:environment: {cloud: gcp, region: x}}",
            r"environment\.project_id: missing; expected",
        ),
        (
            "config: {ai-platform:environment: {cloud: gcp, region: x, project_id: Acme}}",
            "6 to 30 lower-case",
        ),
        (
            "config: {ai-platform:environment: {cloud: gcp, project_id: acme-ml}}",
            "a region such as us-central1",
        ),
    ],
)
def test_environment_file_without_account_or_region_is_refused_with_the_key(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "Pulumi.bad.yaml").write_text(text)
    monkeypatch.setattr(environment_files, "ROOT", tmp_path)
    with pytest.raises(CommandError, match=problem):
        instances.for_environment("bad")


def _protect(name: str) -> None:
    instance = instances.for_environment(name)
    file = instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / f"{name}.json"
    file.parent.mkdir(parents=True)
    resources = [{"urn": "a"}, {"urn": "b", "protect": True}]
    file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}))


def _engine_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(name: str) -> None:
        raise AssertionError(f"{name} was started")

    monkeypatch.setattr(stacks, "started", started)


def test_protected_environment_is_not_destroyed_and_the_error_states_how_to_unprotect_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _engine_is_out_of_reach(monkeypatch)
    _protect("aws-prod")
    message = (
        r"^aws-prod is protected: set `teardown: true` under ai-platform:environment in "
        r"environments/Pulumi.aws-prod.yaml, `make up ENV=aws-prod`, then destroy.$"
    )
    with pytest.raises(CommandError, match=message):
        RUNNER.invoke(application.app, ["destroy", "aws-prod"], catch_exceptions=False)


def test_teardown_before_an_up_does_not_lift_the_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    _engine_is_out_of_reach(monkeypatch)
    _protect("aws-prod")
    monkeypatch.setattr(instances, "teardown", lambda name: name == "aws-prod")
    with pytest.raises(
        CommandError, match=r"still protected: .* applies after the next `make up ENV=aws-prod`"
    ):
        RUNNER.invoke(application.app, ["destroy", "aws-prod"], catch_exceptions=False)


@pytest.mark.parametrize("option", ["--target=urn", "--exclude-protected"])
def test_destroy_of_a_part_of_a_stack_is_left_to_the_engine(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    _engine_is_out_of_reach(monkeypatch)
    _protect("aws-prod")
    with pytest.raises(AssertionError, match="aws-prod was started"):
        RUNNER.invoke(application.app, ["destroy", "aws-prod", option], catch_exceptions=False)


def test_failure_ends_with_the_commands_to_run_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "started", lambda name, *_: instances.for_environment(name))
    calls: list[list[str]] = []

    def pulumi(instance: Instance, name: str, arguments: list[str]) -> int:
        del instance, name
        calls.append(arguments)
        return 255

    monkeypatch.setattr(stacks, "_pulumi", pulumi)
    for command in ("up", "preview", "refresh", "destroy"):
        result = RUNNER.invoke(application.app, [command, "aws-dev", "--diff"])
        assert result.exit_code == 255, "the exit code of the engine"
        expected = (
            "A preview changes nothing." if command == "preview" else f"bin/aiplatform {command} aws-dev"
        )
        assert expected in result.stderr
        assert calls[-1][0] == command
        assert calls[-1][-1] == "--diff", "unknown options are passed to the engine"
        assert "--suppress-outputs" in calls[-1], "a kubeconfig and every id hide what happened"
    RUNNER.invoke(application.app, ["up", "aws-dev", "--show-outputs"])
    assert "--suppress-outputs" not in calls[-1]


def test_commands_in_messages_can_be_typed_in_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(environment_files.ROOT)
    monkeypatch.setenv("PATH", os.defpath)
    output.command_name.cache_clear()
    assert output.command_name() == "bin/aiplatform"
    monkeypatch.chdir(tmp_path)
    output.command_name.cache_clear()
    assert output.command_name() == str(environment_files.ROOT / "bin" / "aiplatform")
    (tmp_path / "aiplatform").symlink_to(environment_files.ROOT / "bin" / "aiplatform")
    monkeypatch.setenv("PATH", str(tmp_path))
    output.command_name.cache_clear()
    assert output.command_name() == "aiplatform"
    output.command_name.cache_clear()


def test_error_is_one_message_without_a_traceback() -> None:
    command = [sys.executable, "-m", "cli", "twin", "status", "--name", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no twin 'nowhere'")
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_twin_of_an_environment_is_not_started_on_another_cloud() -> None:
    with pytest.raises(CommandError, match=r"--cloud gcp: aws-dev is an environment on aws .*another --name"):
        instances.get_or_create("aws-dev", cloud="gcp")
    assert load("aws-dev") is None, "nothing is created"
    assert instances.get_or_create("aws-dev", cloud="aws").account == "111122223333"
    assert instances.get_or_create("mine", cloud="gcp").cloud == "gcp"


def test_status_without_a_name_lists_the_twins_where_there_are_several() -> None:
    create("one")
    create("two")
    output_ = run("twin", "status")
    assert "one" in output_
    assert "two" in output_
    assert "twin status --name NAME" in output_
    create("default")
    result = RUNNER.invoke(application.app, ["twin", "status"])
    assert result.output.startswith("twin default: stopped"), "it has the name that is meant without one"


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(111, "Connection refused"), admin_client.RefusedError("Unauthorized")]
)
def test_destroy_reports_that_it_could_not_look_at_what_is_left(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def request(*_: object) -> None:
        raise error

    monkeypatch.setattr(admin_client, "request", request)
    stacks._report_leftovers(create("one"))
    said = capsys.readouterr()
    assert f"What the twin's cloud still contains could not be read: {error}" in said.err
    assert "is empty" not in said.out


def test_exit_code_of_status_shows_a_stopped_twin() -> None:
    create("idle")
    result = RUNNER.invoke(application.app, ["twin", "status", "--name", "idle", "--json"])
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["running"] is False
    assert {process["pid"] for process in document["processes"]} == {None}


def test_shell_that_evaluates_env_uses_the_twin_until_it_evaluates_unset() -> None:
    create("one")
    env = {**os.environ, "AWS_PROFILE": "prod", "PYTHONPATH": str(environment_files.ROOT)}
    aiplatform = f"{sys.executable} -m cli"
    script = (
        f'eval "$({aiplatform} twin env --name one 2>/dev/null)"\n'
        'echo "$AIPLATFORM_TWIN|${AWS_PROFILE-none}|$AWS_ENDPOINT_URL|${PATH%%:*}"\n'
        f'eval "$({aiplatform} twin env --name one --unset)"\n'
        'echo "${AIPLATFORM_TWIN-none}|${AWS_ENDPOINT_URL-none}|$PATH"\n'
    )
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env=env)
    inside, outside = done.stdout.splitlines()
    instance = load("one")
    assert instance is not None
    assert inside == f"one|none|{instance.url('cloud')}|{instance.bin}"
    assert outside == f"none|none|{env['PATH']}", "the shell is as it was"


def test_reset_without_a_terminal_needs_a_confirmation() -> None:
    instance = create("precious")
    with pytest.raises(CommandError, match="confirm with --yes"):
        RUNNER.invoke(application.app, ["twin", "reset", "--name", "precious"], catch_exceptions=False)
    assert instance.folder.exists()
    run("twin", "reset", "--name", "precious", "--yes")
    assert not instance.folder.exists()
    assert "there is no twin precious" in run("twin", "reset", "--name", "precious")


def test_reset_touches_no_folder_outside_the_twins() -> None:
    with pytest.raises(CommandError, match=r"twin name '\.\./x'; expected 2 to 40"):
        RUNNER.invoke(application.app, ["twin", "reset", "--name", "../x", "--yes"], catch_exceptions=False)


def test_list_shows_each_twin_on_a_plain_line() -> None:
    create("first")
    create("second", region="eu-west-1")
    lines = run("twin", "list").splitlines()
    assert lines[0].split()[:2] == ["twin", "state"]
    assert [line.split()[0] for line in lines[1:]] == ["first", "second"]


def test_doctor_reports_what_is_missing_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor.shutil, "which", lambda name, **_: f"/usr/bin/{name}" if name == "apt-get" else None
    )
    check = doctor._git()
    assert check.state == "missing"
    assert check.advice == "sudo apt-get install git"


def test_doctor_fails_only_for_what_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note = doctor.Check("go", "note", "none", "comes from PyPI")
    monkeypatch.setattr(doctor, "all_checks", lambda: [note])
    assert doctor.run() == 0
    monkeypatch.setattr(
        doctor, "all_checks", lambda: [note, doctor.Check("make", "missing", "none", "get it")]
    )
    assert doctor.run() == 1
    assert "Required and missing: make." in capsys.readouterr().out


def test_doctor_reports_a_lack_of_disk_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path / "not" / "yet"))
    assert doctor._disk(built=True).state == "ok"
    monkeypatch.setattr(doctor, "DISK_TO_BUILD", 1 << 60)
    check = doctor._disk(built=False)
    assert check.state == "missing"
    assert "AIPLATFORM_CACHE" in check.advice
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert doctor._disk(built=False).state == "missing"
    assert doctor._disk(built=True).state == "ok", "it was filled by a user who can write, and is complete"

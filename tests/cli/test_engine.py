"""The engine in a twin: its stack, its locks, its signals, its kubeconfig."""

from __future__ import annotations

import base64
import json
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli import engine, environment_files
from cli.output import CommandError
from twin import environment
from twin.instances import Instance, create
from twin.store import Store


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    return create("one")


@pytest.mark.parametrize(
    ("arguments", "stack"),
    [
        (["pulumi", "up", "-s", "aws-dev"], "aws-dev"),
        (["pulumi", "--stack=organization/ai-platform/aws-dev", "up"], "aws-dev"),
        (["pulumi", "up", "--stack", "aws-prod", "--yes"], "aws-prod"),
        (["pulumi", "up"], None),
        (["pulumi", "up", "-s"], None),
    ],
)
def test_stack_is_read_from_a_pulumi_command(arguments: list[str], stack: str | None) -> None:
    assert engine.stack_of(arguments) == stack


def test_kubeconfig_works_in_any_shell_and_is_private(instance: Instance) -> None:
    exec_plugin = {
        "command": "aws",
        "args": ["eks", "get-token"],
        "env": [{"name": "AWS_REGION", "value": "x"}],
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "users": [{"name": "u", "user": {"exec": exec_plugin}}],
    }
    file = engine.write_kubeconfig(instance, {"cluster": {"kubeconfig": json.dumps(config)}})
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = json.loads(file.read_text())["users"][0]["user"]["exec"]
    variables = {entry["name"]: entry["value"] for entry in written["env"]}
    assert variables["AWS_ENDPOINT_URL"] == instance.url("cloud")
    assert variables["AWS_REGION"] == instance.region, "each variable has one value"
    assert Path(written["command"]).is_absolute()
    assert environment.kubeconfig(instance) == file


@pytest.mark.usefixtures("instance")
def test_kubeconfig_of_gke_contains_the_token_and_the_authority() -> None:
    instance = create("google", cloud="gcp", region="us-central1", account="acme-ml-dev")
    environment.prepare(instance)
    plugin = instance.bin / "gke-gcloud-auth-plugin"
    plugin.touch()
    cluster = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    user = {"name": "u", "user": {"exec": {"command": "gke-gcloud-auth-plugin"}}}
    config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "users": [user]}
    file = engine.write_kubeconfig(instance, {"kubeconfig": json.dumps(config)})
    assert file is not None
    written = json.loads(file.read_text())
    command = written["users"][0]["user"]["exec"]
    assert command["command"] == str(plugin)
    token = environment.environment(instance)["GOOGLE_OAUTH_ACCESS_TOKEN"]
    assert command["env"] == [{"name": "GOOGLE_OAUTH_ACCESS_TOKEN", "value": token}]
    authority = (instance.folder / "kubernetes" / "pki" / "ca.crt").read_bytes()
    data = written["clusters"][0]["cluster"]["certificate-authority-data"]
    assert base64.b64decode(data) == authority, "a DNS endpoint's kubeconfig names none"


@pytest.mark.parametrize("outputs", [{}, {"kubeconfig": "[secret]"}, {"kubeconfig": {"kind": "Other"}}])
def test_kubeconfig_is_not_written_for_a_stack_without_one(
    instance: Instance, outputs: dict[str, object]
) -> None:
    assert engine.write_kubeconfig(instance, outputs) is None


def test_resources_are_those_of_the_state_and_an_unreadable_state_is_an_error(instance: Instance) -> None:
    file = instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / "aws-dev.json"
    assert engine.resources(instance, "aws-dev") == [], "there is no stack"
    file.parent.mkdir(parents=True)
    file.write_text('{"checkpoint": {"latest": {"resources": [{"urn": "u", "id": "vol-1"}]}}}')
    assert engine.resources(instance, "aws-dev") == [{"urn": "u", "id": "vol-1"}]
    file.write_text('{"checkpoint": {"latest": null}}')
    assert engine.resources(instance, "aws-dev") == [], "the stack was destroyed"
    file.write_text('{"checkpoint": ')
    with pytest.raises(CommandError, match="the state of the stack aws-dev cannot be read"):
        engine.resources(instance, "aws-dev")


STATE = (
    '{"version": 3, "checkpoint": {"latest": {"resources": [{"urn": "u", "custom": true, "id": "vpc-1"}]}}}'
)
URN = "urn:pulumi:aws-dev::ai-platform::aws:ec2/vpc:Vpc::main"


def deployed(instance: Instance) -> Path:
    """Write the state of a stack whose resource the providers' store knows; return the state's file."""
    file = instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / "aws-dev.json"
    file.parent.mkdir(parents=True)
    file.write_text(STATE)
    store = Store(instance.store)
    store.created(store.begin(URN, "aws:ec2/vpc:Vpc", {}), "vpc-1", {}, {})
    store.answered()
    store.close()
    engine.check_state(instance, "aws-dev")
    return file


@pytest.mark.parametrize(
    "content", ["", "{", STATE[: len(STATE) // 2], "[]", "null", "{}", '{"checkpoint": 1}', "\x00\x01"]
)
def test_damaged_state_is_refused_with_its_path_and_the_way_out(instance: Instance, content: str) -> None:
    file = deployed(instance)
    file.with_name("aws-dev.json.bak").write_text(STATE)
    file.write_text(content)
    with pytest.raises(CommandError) as refusal:
        engine.ensure_stack(instance, "aws-dev")
    assert f"{file} is damaged (" in str(refusal.value)
    assert "twin reset --name one" in str(refusal.value)
    assert "aws-dev.json.bak next to it is the state before its last change" in str(refusal.value)


def test_state_that_is_missing_while_the_cloud_has_its_resources_is_refused(instance: Instance) -> None:
    file = deployed(instance)
    file.unlink()
    with pytest.raises(CommandError, match=r"is missing, and the cloud has resources.*twin reset --name one"):
        engine.ensure_stack(instance, "aws-dev")
    file.mkdir()
    with pytest.raises(CommandError, match=r"aws-dev\.json: Is a directory; expected a file"):
        engine.ensure_stack(instance, "aws-dev")


def test_stack_that_was_removed_when_it_was_empty_is_created_again(instance: Instance) -> None:
    file = deployed(instance)
    file.unlink()
    file.with_name("aws-dev.json.bak").write_text(
        '{"version": 3, "checkpoint": {"latest": {"resources": []}}}'
    )
    engine.check_state(instance, "aws-dev")  # a resource that the program retains is in the cloud
    engine.check_state(instance, "aws-new")  # no resource of this stack is known


def test_protected_resources_are_read_from_the_state(instance: Instance) -> None:
    assert engine.protected(instance, "dev") == [], "there is no stack yet"
    file = instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / "dev.json"
    file.parent.mkdir(parents=True)
    resources = [{"urn": "a"}, {"urn": "b", "protect": True}, {"urn": "c", "protect": False}]
    file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}))
    assert engine.protected(instance, "dev") == ["b"]
    file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": None}}))
    assert engine.protected(instance, "dev") == []


def test_update_continues_when_its_output_is_not_read_any_more(tmp_path: Path) -> None:
    program = tmp_path / "engine"
    program.write_text(
        "#!/bin/sh\n"
        'for number in 1 2 3 4 5 6 7 8 9; do echo "line $number"; sleep 0.02; done\n'
        f"touch {tmp_path}/done\n"
    )
    program.chmod(0o755)
    code = "import os, sys; from cli import engine; sys.exit(engine.stream(sys.argv[1:], dict(os.environ)))"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(program)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline() == b"line 1\n"
        command.stdout.close()
        assert command.wait(10) == 0
        assert command.stderr.read() == b""
    assert (tmp_path / "done").exists(), "as `aiplatform up | head` should leave it"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_reaches_the_engine_once_and_its_exit_code_is_returned(
    number: signal.Signals, tmp_path: Path
) -> None:
    """The engine must stop at a safe point, and a second signal would stop it at once."""
    program = tmp_path / "engine"
    program.write_text(
        f"#!{sys.executable} -S\n"
        "import signal, sys, time\n"
        "got = []\n"
        "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, lambda n, _: got.append(n))\n"
        "print('ready', flush=True)\n"
        "end = time.monotonic() + 20\n"
        "while not got and time.monotonic() < end: time.sleep(0.02)\n"
        "time.sleep(0.3)\n"
        "sys.exit(40 + len(got))\n"
    )
    program.chmod(0o755)
    code = "import os, sys; from cli import engine; sys.exit(engine.stream(sys.argv[1:], dict(os.environ)))"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(program)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        time.sleep(0.1)
        command.send_signal(number)
        assert command.wait(10) == 41


def pending(instance: Instance, *urns: str, known: tuple[str, ...] = (), **more: object) -> Path:
    """The state of a stack with creates that a kill left pending."""
    file = instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / "dev.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    operations = [
        {"type": "creating", "resource": {"urn": urn, "type": urn.split("::")[2], **more}} for urn in urns
    ]
    resources = [{"urn": urn, "type": urn.split("::")[2]} for urn in known]
    latest = {"resources": resources, "pending_operations": operations}
    file.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "dev", "latest": latest}}))
    return file


VPC = "urn:pulumi:dev::ai-platform::aws:ec2/vpc:Vpc::main"
KEY = "urn:pulumi:dev::ai-platform::aws:kms/key:Key::main"


def test_protected_resource_of_an_interrupted_up_is_protected(instance: Instance) -> None:
    pending(instance, VPC, KEY, known=(KEY,), protect=True)
    assert engine.protected(instance, "dev") == [VPC], (
        "the pending create of a resource that a later `up` created is out of date"
    )


def test_pending_creates_are_deleted_only_while_no_other_engine_works(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks: list[str] = []
    monkeypatch.setattr(engine.pending, "undo", lambda _, stack, __: bool(stacks.append(stack)))
    assert not engine.undo_pending(instance, "dev"), "something is left"
    monkeypatch.setattr(engine.stack_locks, "is_locked", lambda *_: True)
    assert engine.undo_pending(instance, "dev"), "the other engine repairs its own operations"
    assert stacks == ["dev"]


def test_failed_export_of_the_state_is_reported_with_its_cause(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending(instance, VPC)

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if "twin.core.pending_creates" in command:
            return subprocess.CompletedProcess(command, 0, '{"deleted": [], "failed": {}}')
        return subprocess.CompletedProcess(command, 255, "", "error: incorrect passphrase\n")

    monkeypatch.setattr(engine.pending.subprocess, "run", run)
    monkeypatch.setattr(environment, "engine", lambda _: "pulumi")
    with pytest.raises(CommandError, match="pulumi stack export failed: error: incorrect passphrase"):
        engine.undo_pending(instance, "dev")


def test_deleted_pending_creates_are_removed_from_the_state(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = "urn:pulumi:dev::ai-platform::kubernetes:core/v1:Service::web"
    file = pending(instance, VPC, service)
    imported: list[dict[str, Any]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if "twin.core.pending_creates" in command:
            return subprocess.CompletedProcess(
                command, 0, '{"deleted": ["aws:ec2/vpc:Vpc vpc-1"], "failed": {}}'
            )
        if "import" in command:
            imported.append(json.loads(Path(command[command.index("--file") + 1]).read_text()))
        deployment = json.loads(file.read_text())["checkpoint"]["latest"]
        return subprocess.CompletedProcess(
            command, 0, json.dumps({"version": 3, "deployment": deployment}), ""
        )

    monkeypatch.setattr(engine.pending.subprocess, "run", run)
    monkeypatch.setattr(environment, "engine", lambda _: "pulumi")
    assert engine.undo_pending(instance, "dev")
    [left] = imported[0]["deployment"]["pending_operations"]
    assert left["resource"]["urn"] == service, "a pending create of another provider is not resolved"
    assert "deleted aws:ec2/vpc:Vpc vpc-1" in capsys.readouterr().err


def settled(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, file: Path, *, whole: bool = True
) -> tuple[bool, list[str]]:
    """Settle the pending operations of a state by a stand-in for the engine; return the result and the URNs
    that are still pending."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if "twin.core.pending_creates" in command:
            return subprocess.CompletedProcess(command, 0, '{"deleted": [], "failed": {}}')
        state = json.loads(file.read_text())
        if "import" in command:
            draft = json.loads(Path(command[command.index("--file") + 1]).read_text())
            state["checkpoint"]["latest"] = draft["deployment"]
            file.write_text(json.dumps(state))
        deployment = {"version": 3, "deployment": state["checkpoint"]["latest"]}
        return subprocess.CompletedProcess(command, 0, json.dumps(deployment), "")

    monkeypatch.setattr(engine.pending.subprocess, "run", run)
    monkeypatch.setattr(environment, "engine", lambda _: "pulumi")
    is_settled = engine.settle_pending(instance, "dev", whole=whole)
    latest = json.loads(file.read_text())["checkpoint"]["latest"]
    return is_settled, [operation["resource"]["urn"] for operation in latest["pending_operations"]]


SERVICE = "urn:pulumi:dev::ai-platform::kubernetes:core/v1:Service::web"


def test_successful_up_leaves_no_pending_operation_in_the_state(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pending(instance, VPC, KEY, SERVICE, known=(VPC,))
    assert engine.has_pending(instance, "dev")
    assert settled(instance, monkeypatch, file) == (True, [])
    assert not engine.has_pending(instance, "dev")
    assert f"{SERVICE}: an interrupted `up` may have created it" in capsys.readouterr().err, (
        "the twin cannot look for an object of the cluster that the program does not have any more"
    )


def test_up_of_a_part_of_the_stack_leaves_what_it_did_not_create(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pending(instance, VPC, KEY, SERVICE, known=(VPC,))
    assert settled(instance, monkeypatch, file, whole=False) == (False, [KEY, SERVICE])


def test_destroy_of_the_whole_stack_leaves_no_pending_operation(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settled(instance, monkeypatch, pending(instance, SERVICE)) == (True, [])
    assert not capsys.readouterr().err, "the cluster is deleted, and the object with it"

"""The command `aiplatform sweep`: exit codes, what is refused, the question, and the state of stacks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import clients
from cli.app import app
from cli.output import CommandError
from cli.sweep import command, state
from tests.cli.preflight.fakes import ACCOUNT, Aws, aws
from tests.cli.sweep.fakes import OURS

TAGS = [{"Key": key, "Value": value} for key, value in OURS.items()]
STAGING = [*TAGS, {"Key": "KubernetesCluster", "Value": "acme-staging-cluster"}]


def volume(id: str, tags: Any = TAGS, kind: str = "gp3") -> dict[str, Any]:
    return {"VolumeId": id, "Tags": tags, "Size": 100, "VolumeType": kind, "State": "available"}


class Account(Aws):
    """An account with volumes; a deletion removes one."""

    def __init__(self, *volumes: dict[str, Any]) -> None:
        super().__init__(
            {
                ("sts", "get_caller_identity"): {"Account": ACCOUNT, "Arn": "arn:aws:iam::1:user/me"},
                ("ec2", "describe_volumes"): lambda **_: {"Volumes": [*self.volumes]},
                ("ec2", "delete_volume"): self._delete,
            }
        )
        self.volumes = [*volumes]
        self.failing = False

    def _delete(self, VolumeId: str) -> Any:  # noqa: N803 - of the API
        if self.failing:
            return aws.ApiError("VolumeInUse", "it is attached")
        self.volumes = [entry for entry in self.volumes if entry["VolumeId"] != VolumeId]
        return {}

    @property
    def ids(self) -> list[str]:
        return [entry["VolumeId"] for entry in self.volumes]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    client = Account(volume("vol-1"), volume("vol-2", STAGING), volume("vol-3", []))
    monkeypatch.setattr(clients, "of", lambda *_, **__: client)  # pyright: ignore[reportUnknownLambdaType]
    return client


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """The state of a stack without resources."""
    return exported(tmp_path / "empty.json")


def exported(file: Path, *resources: dict[str, Any]) -> Path:
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": list(resources)}}))
    return file


def run(*arguments: str | Path, text: str | None = None) -> Any:
    return CliRunner().invoke(app, ["sweep", "aws-dev", "--cloud", *map(str, arguments)], input=text)


def test_what_is_left_is_listed_with_its_price_and_nothing_is_removed(account: Account, empty: Path) -> None:
    result = run("--state", empty)
    assert result.exit_code == 2, result.output
    assert "aws-dev: 1 left, 8.00 $ a month" in result.stdout
    assert "aws --region us-west-2 ec2 delete-volume --volume-id vol-1" in result.stdout
    assert "claimed by another environment, never removed:" in result.stdout
    assert "delete-volume --volume-id vol-2" not in result.stdout, "no command for what is another's"
    assert "vol-3" not in result.stdout
    assert account.ids == ["vol-1", "vol-2", "vol-3"]


def test_account_without_remains_exits_with_0(account: Account, empty: Path) -> None:
    account.volumes = [volume("vol-3", [])]
    result = run("--state", empty)
    assert result.exit_code == 0
    assert result.stdout == f"aws-dev: nothing is left in account {ACCOUNT}, us-west-2\n"


def test_document_has_sections_reasons_and_the_exit_code(account: Account, empty: Path) -> None:
    account.volumes.append(volume("vol-4", kind="io2"))
    result = run("--state", empty, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == document["exit_code"] == 2
    assert document["usd_a_month"] == 8
    assert {entry["id"]: (entry["section"], entry["usd_a_month"]) for entry in document["resources"]} == {
        "vol-1": ("left", 8),
        "vol-2": ("claimed", 8),
        "vol-4": ("left", None),
    }, "an unknown price is null, and in no sum"


def test_removal_deletes_what_is_left_alone(account: Account, empty: Path) -> None:
    result = run("--state", empty, "--remove", "--yes")
    assert result.exit_code == 0, result.output
    assert "removed: volume vol-1" in result.stdout
    assert account.ids == ["vol-2", "vol-3"]


def test_failed_removal_exits_with_1(account: Account, empty: Path) -> None:
    account.failing = True
    result = run("--state", empty, "--remove", "--yes", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["removed"] == [
        {"kind": "volume", "id": "vol-1", "outcome": "failed", "reason": "VolumeInUse: it is attached"}
    ]


@pytest.mark.parametrize(("typed", "removed"), [("aws-dev\n", True), ("yes\n", False), ("\n", False)])
def test_name_of_the_environment_is_the_answer(
    account: Account, empty: Path, monkeypatch: pytest.MonkeyPatch, typed: str, removed: bool
) -> None:
    monkeypatch.setattr(command, "can_ask", lambda: True)
    result = run("--state", empty, "--remove", text=typed)
    assert "Type aws-dev to delete 1 resources" in result.stdout
    assert ("vol-1" not in account.ids) is removed
    assert isinstance(result.exception, CommandError) is not removed


def test_removal_without_a_terminal_takes_yes(account: Account, empty: Path) -> None:
    result = run("--state", empty, "--remove")
    assert isinstance(result.exception, CommandError)
    assert "expected --yes" in str(result.exception)
    assert account.calls == [], "it is refused before anything is read"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--yes"], "expected with --remove only"), (["--remove", "--json"], "expected --yes")],
)
def test_option_without_the_other_is_refused(account: Account, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert message in str(result.exception)


def test_state_of_a_twin_is_not_stated(empty: Path) -> None:
    result = CliRunner().invoke(app, ["sweep", "aws-dev", "--state", str(empty)])
    assert "expected with --cloud only" in str(result.exception)


def test_deployed_environment_is_not_evaluated(account: Account, empty: Path) -> None:
    account.answers["eks", "list_clusters"] = {"clusters": ["acme-dev-cluster"]}
    result = run("--state", empty, "--remove", "--yes")
    assert isinstance(result.exception, CommandError)
    assert result.exception.code == 3
    assert "its cluster acme-dev-cluster exists" in str(result.exception)
    assert account.ids == ["vol-1", "vol-2", "vol-3"]


def test_credentials_of_another_account_are_refused(account: Account, empty: Path) -> None:
    account.answers["sts", "get_caller_identity"] = {"Account": "999999999999", "Arn": "arn"}
    result = run("--state", empty, "--remove", "--yes")
    assert "the credentials are of account 999999999999" in str(result.exception)


def test_kind_that_cannot_be_read_is_no_clean_account(account: Account, empty: Path) -> None:
    account.volumes = []
    account.answers["ec2", "describe_snapshots"] = clients_error(
        "it takes the permission ec2:DescribeSnapshots"
    )
    result = run("--state", empty)
    assert result.exit_code == 1
    assert "not read: snapshot: it takes the permission ec2:DescribeSnapshots" in result.stdout


def test_networks_that_cannot_be_read_end_the_sweep(account: Account, empty: Path) -> None:
    account.answers["ec2", "describe_vpcs"] = clients_error("it takes the permission ec2:DescribeVpcs")
    result = run("--state", empty, "--remove", "--yes")
    assert "the networks of account" in str(result.exception), "they state what is another environment's"
    assert "vol-1" in account.ids


def clients_error(message: str) -> Exception:
    from cli.clients.errors import UncheckedError

    return UncheckedError(message)


def test_resource_in_the_state_is_left_out(account: Account, tmp_path: Path) -> None:
    of_stack = {"type": "aws:ebs/volume:Volume", "urn": "urn:1", "id": "vol-1"}
    provider = {"type": "pulumi:providers:aws", "urn": "urn:2", "id": "vol-9"}
    result = run("--state", exported(tmp_path / "state.json", of_stack, provider), "--remove", "--yes")
    assert result.exit_code == 0
    assert "1 resources of the stack's state are left out" in result.stdout
    assert "vol-1" in account.ids


@pytest.mark.parametrize("content", ["", "{}", '{"deployment": null}', '{"deployment": {"resources": [1]}}'])
def test_file_that_is_no_state_is_refused(account: Account, tmp_path: Path, content: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    result = run("--state", file)
    assert "expected the output of `pulumi stack export`" in str(result.exception)


Pulumi = Callable[[int, str, str], None]


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    """Answer `pulumi stack export` by exit code, stdout and stderr."""

    def answer(code: int, stdout: str, stderr: str) -> None:
        def done(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            assert arguments[:4] == ["pulumi", "stack", "export", "--stack"]
            return subprocess.CompletedProcess(arguments, code, stdout, stderr)

        monkeypatch.setattr(subprocess, "run", done)

    return answer


def test_state_is_that_of_the_shells_backend(account: Account, pulumi: Pulumi, tmp_path: Path) -> None:
    of_stack = {"type": "aws:ebs/volume:Volume", "urn": "u", "id": "other", "outputs": {"arn": "vol-1"}}
    pulumi(0, exported(tmp_path / "s.json", of_stack).read_text(), "")
    assert run().exit_code == 0, "vol-1 is in the stack"


def test_stack_that_is_not_there_has_no_state(account: Account, pulumi: Pulumi) -> None:
    pulumi(255, "", "error: no stack named 'aws-dev' found")
    assert run().exit_code == 2


def test_backend_that_cannot_be_read_ends_the_sweep(account: Account, pulumi: Pulumi) -> None:
    pulumi(255, "", "error: PULUMI_ACCESS_TOKEN must be set")
    result = run("--remove", "--yes")
    assert "PULUMI_ACCESS_TOKEN must be set" in str(result.exception)
    assert "--state" in str(result.exception)
    assert "vol-1" in account.ids


def test_state_without_resources_has_none() -> None:
    assert state.of_files([]) == state.State(frozenset(), 0)

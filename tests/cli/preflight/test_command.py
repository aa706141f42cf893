"""The command `aiplatform preflight`: with a saved preview, its options, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import clients
from cli.app import app
from cli.images import command as images
from cli.output import CommandError
from tests.cli.estimate.samples import SUMMARY, eks_group, event, resource
from tests.cli.preflight import fakes
from tests.cli.preflight.fakes import ACCOUNT, Aws

BUCKET = resource("aws:s3/bucket:Bucket", "raw", bucket="acme-raw")
KNOWN = {
    ("sts", "get_caller_identity"): {"Account": ACCOUNT, "Arn": "arn:aws:iam::111122223333:user/me"},
    ("service-quotas", "get_service_quota"): fakes.quotas(L_1216C47A=8),
    ("s3", "head_bucket"): fakes.aws.ApiError("404", "Not Found"),
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "preview.jsonl"
    file.write_text("".join([*map(event, (*eks_group("general"), BUCKET)), SUMMARY]))
    return file


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Aws:
    client = Aws(KNOWN)
    monkeypatch.setattr(clients, "of", lambda *_, **__: client)  # pyright: ignore[reportUnknownLambdaType]
    nothing: dict[str, Any] = {"images": [], "charts": []}
    monkeypatch.setattr(images, "list_of", lambda _: nothing)  # pyright: ignore[reportUnknownLambdaType]
    return client


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["preflight", "aws-dev", *map(str, arguments)])


def test_account_with_all_that_is_needed_passes(saved: Path, account: Aws) -> None:
    result = run("--cloud", "--preview", saved)
    assert result.exit_code == 0, result.output
    assert "limit 8 vCPUs, 0 in use, 0 needed at minimum, 8 at maximum" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("4 ok, 0 problem, 1 not checked")


def test_quota_below_the_maximum_exits_with_3(saved: Path, account: Aws) -> None:
    account.answers["service-quotas", "get_service_quota"] = fakes.quotas(L_1216C47A=7)
    result = run("--cloud", "--preview", saved)
    assert result.exit_code == 3
    assert "--quota-code L-1216C47A --region us-west-2 --desired-value 8" in result.stdout


def test_bucket_that_exists_exits_with_2_and_json_has_all(saved: Path, account: Aws) -> None:
    account.answers["s3", "head_bucket"] = {}
    result = run("--cloud", "--preview", saved, "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert (document["account"], document["target"], document["exit_code"]) == (ACCOUNT, "cloud", 2)
    assert [entry["subject"] for entry in document["results"] if entry["state"] == "problem"] == ["acme-raw"]


def test_without_credentials_nothing_else_is_checked(saved: Path, account: Aws) -> None:
    account.answers["sts", "get_caller_identity"] = fakes.aws.ApiError("ExpiredToken", "x")
    result = run("--cloud", "--preview", saved, "--json")
    assert result.exit_code == 2
    states = [entry["state"] for entry in json.loads(result.stdout)["results"]]
    assert states == ["problem"] + ["not checked"] * 6
    assert [call[0] for call in account.calls] == ["sts"]


def test_errors_of_the_program_are_problems(saved: Path, account: Aws) -> None:
    error = "environments/Pulumi.aws-dev.yaml:9: gpu_pools.t4.min: nodes that always run need 8 vCPUs"
    failure = json.dumps({"diagnosticEvent": {"severity": "error", "message": error}})
    failed = failure.replace(json.dumps(error), '"preview failed"')
    saved.write_text(f"{failure}\n{failed}\n{SUMMARY}")
    result = run("--cloud", "--preview", saved, "--json")
    assert result.exit_code == 2
    entries = json.loads(result.stdout)["results"]
    assert (entries[0]["check"], entries[0]["reason"]) == ("program", error)
    assert entries[1]["state"] == "not checked", "that the preview failed is no other problem"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the preview's stream is incomplete"),
        (
            event(resource("aws:kms/key:Key"))
            .replace("::ai-platform::", "::x::")
            .replace("aws-dev", "gcp-dev")
            + SUMMARY,
            "the preview is of the stack 'gcp-dev'; expected one of aws-dev",
        ),
    ],
)
def test_preview_of_something_else_is_refused(saved: Path, account: Aws, content: str, message: str) -> None:
    saved.write_text(content)
    result = run("--cloud", "--preview", saved)
    assert isinstance(result.exception, CommandError)
    assert message in str(result.exception)


def test_unknown_environment_is_refused() -> None:
    result = CliRunner().invoke(app, ["preflight", "no-such"])
    assert "there is no environment 'no-such'" in str(result.exception)

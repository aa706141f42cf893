"""The command line: its results, exit codes and settings."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import boto3
import pytest
from conftest import Factory, Register
from moto import mock_aws

from model_release import __main__, names, settings
from model_release.errors import RefusedError


@pytest.fixture
def run(bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command; returns its exit code, the result of its last line and stderr."""
    monkeypatch.setenv("RELEASES_URI", f"s3://{bucket}")
    monkeypatch.setenv("APPROVED_BY", "ada@acme.example")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["model_release", *arguments])
        code = 0
        try:
            code = __main__.main()
        except SystemExit as end:
            code = int(end.code or 0)
        output = capsys.readouterr()
        lines = output.out.splitlines()
        return code, json.loads(lines[-1])["result"] if lines and code == 0 else None, output.err

    return run


def test_promoted_model_is_listed_shown_and_verified(run: Any, register: Register, name: str) -> None:
    number = register(name.replace("/", "."))
    code, entry, errors = run("promote", name, number, "--request", "r1")
    assert (code, entry and entry["version"]) == (0, number), errors
    code, rows, _ = run("list")
    assert [(row["model"], row["releases"], row["aliases"]) for row in rows] == [
        (name, 1, {"champion": number})
    ]
    assert run("list", "another")[1] == []
    shown = run("show", name)[1]
    assert shown["releases"][0]["lineage"]["evaluation_set"] == "curated.holdout@5124"
    assert shown["releases"][0]["card"]["licence"] == "apache-2.0"
    assert shown["promotions"] == [entry]
    verified = run("verify", name, number)[1]
    assert verified["manifest_sha256"] == entry["manifest_sha256"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("show", "pricing/none"), "unknown model"),
        (("verify", "pricing/none", "1"), "no manifest; expected a finished release"),
        (("rollback", "pricing/none"), "nothing to roll back to"),
        (("promote", "pricing", "1"), "expected TEAM/MODEL"),
        (("promote", "a/b", "1", "--metric", "auc"), "expected both or none"),
        (("promote", "a/b", "1", "--margin", "0.1"), "expected them together with --better-than"),
        (
            ("promote", "a/b", "1", "--better-than", "champion", "--metric", "auc", "--margin", "1.5"),
            "margin: got 1.5; expected a number from 0 to 1",
        ),
        (("promote", "a/b", "1", "--better-than", "other", "--metric", "auc"), "expected the alias to set"),
        (("import", "a/b", "--repository", "x/y", "--revision", "main", "--card", "{}"), "no model card"),
    ],
)
def test_refused_command_exits_with_2_and_the_reason(
    run: Any, arguments: tuple[str, ...], error: str
) -> None:
    code, _, errors = run(*arguments)
    assert code == 2, "the Job does not run it again"
    assert error in errors


@pytest.mark.parametrize("missing", ["--revision", "--card", "--repository"])
def test_import_without_a_required_option_is_refused(run: Any, missing: str) -> None:
    options = {"--revision": "a" * 40, "--card": "{}", "--repository": "x/y"}
    arguments = [part for option in options.items() if option[0] != missing for part in option]
    code, _, errors = run("import", "a/b", *arguments)
    assert code == 2
    assert missing in errors


def test_other_errors_exit_with_1_so_that_the_job_continues(
    run: Any, register: Register, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = register(name.replace("/", "."))
    monkeypatch.setenv("RELEASES_URI", "s3://there-is-no-such-bucket")
    code, _, errors = run("promote", name, number)
    assert (code, "NoSuchBucket" in errors) == (1, True)


def test_settings_are_strict_where_variables_are_missing() -> None:
    stated = settings.of_environment({"RELEASES_URI": "s3://b"})
    assert (stated.is_prod, stated.approved_by, stated.guarded_aliases) == (True, None, {"champion"})
    with pytest.raises(RefusedError, match="PROFILE: got 'production'; expected one of dev, staging, prod"):
        settings.of_environment({"PROFILE": "production"})
    assert settings.of_environment({"APPROVED_BY": "  "}).approved_by is None


@mock_aws
def test_secrets_are_read_by_the_identity_of_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "none")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "none")
    client = boto3.client("secretsmanager")
    account = json.dumps({"username": "release", "password": "long"})
    arn = client.create_secret(Name="account", SecretString=account)["ARN"]
    settings.sign_in({"MLFLOW_ACCOUNT_SECRET": arn})
    assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == (
        "release",
        "long",
    )
    for name, text in (("plain", "hf_1\n"), ("object", '{"token": "hf_1"}')):
        client.create_secret(Name=name, SecretString=text)
        assert settings.hub_token({"HUGGING_FACE_SECRET": name}) == "hf_1"
    assert settings.hub_token({}) is None


def test_unknown_kind_of_bucket_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for uri in ("", "file:///tmp", "s3://", "s3://bucket/prefix"):
        monkeypatch.setenv("RELEASES_URI", uri)
        assert "expected s3://BUCKET or gs://BUCKET" in run("list")[2]


def test_promoter_does_not_open_the_registry_for_an_import(promoter: Factory, name: str) -> None:
    maker = promoter()
    maker.registry = lambda: pytest.fail("it has no account of the registry")
    with pytest.raises(RefusedError, match="expected a finished import"):
        maker.promote(names.model(name), "hf-" + "a" * 40, "champion", "r1")

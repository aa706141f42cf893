"""The are-in of gke-gcloud-auth-plugin hands out the caller's token, and says what is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twin.gcp import auth_plugin

SOURCES = (
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBERNETES_EXEC_INFO",
)


@pytest.fixture(autouse=True)
def _nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SOURCES:
        monkeypatch.delenv(name, raising=False)


def test_the_credential_is_what_kubectl_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.one")
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", json.dumps({"apiVersion": auth_plugin.VERSION}))
    assert auth_plugin.main([]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert answered["kind"] == "ExecCredential"
    assert answered["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert answered["status"]["token"] == "ya29.one"
    expires = datetime.fromisoformat(answered["status"]["expirationTimestamp"])
    assert 3500 < (expires - datetime.now(UTC)).total_seconds() <= 3599


@pytest.mark.parametrize("source", SOURCES[1:4])
def test_the_token_is_found_where_googles_clients_look(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text('{"access_token": "ya29.two"}' if source.startswith("GOOGLE") else "ya29.two\n")
    monkeypatch.setenv(source, "ya29.two" if source == "CLOUDSDK_AUTH_ACCESS_TOKEN" else str(file))
    assert auth_plugin.token() == "ya29.two"


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("", "", "cannot find credentials"),
        ("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "/nowhere", "/nowhere: No such file"),
        ("KUBERNETES_EXEC_INFO", '{"apiVersion": "client.authentication.k8s.io/v1"}', "v1beta1"),
        ("KUBERNETES_EXEC_INFO", "[", "is no JSON object"),
    ],
)
def test_what_is_missing_is_said(
    source: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if source:
        monkeypatch.setenv(source, value)
    assert auth_plugin.main([]) == 1
    assert said in capsys.readouterr().err


def test_an_unknown_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert auth_plugin.main(["--clutser=x"]) == 1
    assert "unknown flag: --clutser=x" in capsys.readouterr().err

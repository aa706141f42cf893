"""What the platform configures, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_logger import configuration
from llm_logger.configuration import Logged, RefusedError
from llm_logger.storage import open_folder


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGGER_FILE", str(tmp_path / "logger.json"))
    monkeypatch.setenv("LOGS_URI", "s3://logs/logs")
    monkeypatch.setenv("NAMESPACE", "search")
    return tmp_path / "logger.json"


def test_inference_services_of_both_colors_are_those_of_a_service(logged: Logged) -> None:
    assert logged.service("chat-blue") == logged.service("chat-green") == logged.services["chat"]
    assert logged.service("chat") is None
    assert logged.service("other-blue") is None


def test_payloads_are_off_by_default(file: Path) -> None:
    file.write_text(json.dumps({"services": {"chat": {}}}))
    read = configuration.read()
    assert not read.logged.services["chat"].payloads
    assert (read.port, read.metrics_port, read.namespace) == (50051, 9090, "search")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"services": {}},
        {"services": {"chat": {"batch_size": 0}}},
        {"services": {"chat": {"payload": True}}},
        {"services": {"chat": {}}, "refusals": [""]},
    ],
)
def test_file_of_another_form_is_refused(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content))
    with pytest.raises(RefusedError, match="expected the ConfigMap"):
        configuration.read()


def test_missing_variable_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(json.dumps({"services": {"chat": {}}}))
    monkeypatch.delenv("LOGS_URI")
    with pytest.raises(RefusedError, match="LOGS_URI"):
        configuration.read()


@pytest.mark.parametrize("uri", ["", "logs", "s3://", "http://bucket/logs"])
def test_bucket_of_another_form_is_refused(uri: str) -> None:
    with pytest.raises(RefusedError, match="LOGS_URI"):
        open_folder(uri)

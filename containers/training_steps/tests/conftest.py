"""A declared model, a catalog of tables, and a model registry in a file of SQLite."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

IMAGE = "registry.example/train@sha256:" + "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def job(**more: Any) -> dict[str, Any]:
    """Return a declared job."""
    return {
        "runtime": "torch-cpu",
        "image": IMAGE,
        "code_commit": COMMIT,
        "nodes": 2,
        "args": ["--table=${TABLE}", "--snapshot=${SNAPSHOT}", "--run-name=${RUN_NAME}"],
        "priority_class": "training",
        **more,
    }


def declared(**evaluation: Any) -> dict[str, Any]:
    """Return a declared model."""
    return {
        "table": "curated.orders",
        "feature_views": {"customers": {"version": "3", "table": "curated.customers"}},
        "training": job(),
        "evaluation": {
            "kind": "metrics",
            "job": job(nodes=1, args=["--run=${RUN_ID}"]),
            "metric": "accuracy",
            "lower_is_better": False,
            "margin": 0.01,
            "thresholds": {"accuracy": {"min": 0.8}},
            **evaluation,
        },
        "service": "fares",
        "rollout": {"weights": "10,50,100"},
        "on_data": True,
    }


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of declared models, which the program reads."""
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"fares": declared()}))
    monkeypatch.setenv("MODELS_FILE", str(file))
    monkeypatch.setenv("PLATFORM_TEAM", "pricing")
    monkeypatch.setenv("NAMESPACE", "pricing")
    monkeypatch.setenv("RELEASES_URI", "s3://releases")
    monkeypatch.setenv("OUTPUTS", str(tmp_path / "outputs"))
    return file


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of the model registry."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("pricing.fares", artifact_location=str(folder / "files"))
    return uri

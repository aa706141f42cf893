"""A bucket in a server that speaks S3, and a model registry in a file of SQLite."""

from __future__ import annotations

import gc
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import backends
from moto.server import ThreadedMotoServer

from model_release.objects.s3 import S3Objects
from model_release.promotion import Promoter
from model_release.settings import Settings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAGS = {
    "ai-platform.snapshots": '{"curated.orders": 5123}',
    "ai-platform.feature_views": "{}",
    "ai-platform.code_commit": COMMIT,
    "ai-platform.image": "registry.example/train@sha256:" + "a" * 64,
    "ai-platform.evaluation_set": "curated.holdout@5124",
}
CARD = {
    "data": "Orders of 2025 without returns.",
    "evaluation": "AUC 0.8 on orders of January 2026.",
    "owner": "pricing@acme.example",
    "limits": "Not for orders outside of Europe.",
    "licence": "apache-2.0",
}
FILES = {"MLmodel": "flavors: {}", "model/weights.bin": "w" * 2000, "model/requirements.txt": "torch"}
_numbers = itertools.count(1)

# Imported packages live to the end: looking through them again and again is a tenth of the time.
gc.set_threshold(200_000)

# The server lists the folders of moto for each request.
_SERVICES = frozenset(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: _SERVICES


@pytest.fixture(scope="session", autouse=True)
def server() -> Iterator[str]:
    """The address of a server that speaks S3; clients find it, and no other identity, by variables."""
    started = ThreadedMotoServer(port=0)
    started.start()
    _, port = started.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    variables = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "NO_PROXY": "127.0.0.1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield address
    started.stop()


@pytest.fixture
def bucket() -> str:
    """The name of a new bucket."""
    name = f"releases-{next(_numbers)}"
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return name


@pytest.fixture
def objects(bucket: str) -> S3Objects:
    """The bucket, as the program uses it."""
    return S3Objects(bucket)


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of the model registry."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("tests", artifact_location=str(folder / "files"))
    mlflow.set_experiment("tests")
    return uri


Register = Callable[..., str]


@pytest.fixture
def register(tracking: str, tmp_path: Path) -> Register:
    """Registers a version with files, tags, metrics and a card; returns its number. model: a new name by
    default. card: None for none."""
    from mlflow import MlflowClient

    client: Any = MlflowClient()

    def register(
        model: str,
        *,
        files: Mapping[str, str] = FILES,
        tags: Mapping[str, str] = TAGS,
        metrics: Mapping[str, float] | None = None,
        card: Mapping[str, str] | None = CARD,
        run: bool = True,
    ) -> str:
        experiment = client.get_experiment_by_name("tests").experiment_id
        started = client.create_run(experiment, tags=dict(tags)).info
        for name, value in ({"auc": 0.8} if metrics is None else metrics).items():
            client.log_metric(started.run_id, name, value)
        for path, text in files.items():
            client.log_text(started.run_id, text, f"files/{path}")
        if card is not None:
            client.log_text(started.run_id, json.dumps(card), "model_card.json")
        if not client.search_registered_models(f"name = '{model}'"):
            client.create_registered_model(model)
        source = f"{started.artifact_uri}/files"
        version = client.create_model_version(model, source, started.run_id if run else None)
        return str(version.version)

    return register


@pytest.fixture
def name() -> str:
    """The name of a model that no other test uses: TEAM/MODEL."""
    return f"pricing/model{next(_numbers)}"


Factory = Callable[..., Promoter]


@pytest.fixture
def promoter(objects: S3Objects) -> Factory:
    """Makes a promoter of the bucket. approved_by, profile: of its settings."""

    def make(profile: str = "prod", approved_by: str | None = "ada@acme.example") -> Promoter:
        from model_release.registry import Registry

        return Promoter(objects, Settings("s3://unused", profile, approved_by=approved_by), Registry)

    return make


def location(model: str, number: str) -> Path:
    """Return the folder of a version's files in the registry."""
    from mlflow import MlflowClient

    uri = MlflowClient().get_model_version_download_uri(model.replace("/", "."), number)
    return Path(uri.removeprefix("file://"))

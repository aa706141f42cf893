"""Drill of docs/operations/disaster-recovery.md#mlflow: MLflow's real PostgreSQL is restored to a point in
time, and its files restored by `aiplatform restore` from the versions of that time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner

from cli import clients as cloud_clients
from cli.app import app
from cli.clients import aws
from tests.end_to_end import clients
from tests.end_to_end.mlflow_attempts import API, FILES, NOW
from tests.end_to_end.mlflow_server import Server
from tests.end_to_end.postgres import free_port
from tests.end_to_end.postgres_backups import ArchivedPostgres

pytestmark = pytest.mark.end_to_end

BUCKET, TEAM = "acme-staging-models-111122223333", "search"
MODEL = f"{TEAM}.ranking"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIADRILL",
    "AWS_SECRET_ACCESS_KEY": "drill",
    "AWS_DEFAULT_REGION": "us-west-2",
}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket with versions, as the component creates it, at an address of this machine."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client: Any = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    used = aws.Client("us-west-2")

    def of_service(_: str) -> Any:
        return client

    def of_cloud(*_: Any, **__: Any) -> aws.Client:
        return used

    monkeypatch.setattr(used, "_of", of_service)
    monkeypatch.setattr(cloud_clients, "of", of_cloud)
    yield client
    server.stop()


@pytest.fixture
def postgres() -> Iterator[ArchivedPostgres]:
    """The database's instance, with MLflow's two databases, whose log is archived."""
    postgres = ArchivedPostgres(Path(clients.run("mlflow", "installed", {})["packages"]))
    postgres.initialize("mlflow", "drill")
    for name in ("mlflow", "mlflow_accounts"):
        postgres.sql(f"CREATE DATABASE {name} OWNER mlflow")
    postgres.archive()
    yield postgres
    postgres.stop()


@pytest.fixture
def server(tmp_path: Path, s3: Any, postgres: ArchivedPostgres) -> Iterator[Server]:
    """The server, with both databases in the instance and files in the bucket."""
    address = f"postgresql+psycopg2://mlflow:drill@127.0.0.1:{postgres.port}"
    variables = {
        **CREDENTIALS,
        "MLFLOW_S3_ENDPOINT_URL": s3.meta.endpoint_url,
        "REGISTRY_ACCOUNTS_URI": f"{address}/mlflow_accounts",
        "REGISTRY_ACCOUNTS": f"admin,{TEAM}",
        "REGISTRY_PROMOTERS": "admin",
        "REGISTRY_GUARDED_ALIASES": "champion",
    }
    accounts = ("admin", TEAM)
    server = Server(tmp_path, accounts, variables, f"{address}/mlflow", f"s3://{BUCKET}/runs")
    server.start()
    yield server
    server.stop()


def post(server: Server, path: str, body: Any, method: str = "POST") -> Any:
    """Send a request of the team, which succeeds; return the answer."""
    return server.ask(TEAM, method, f"{API}/{path}", body).json()


def run_with_file(server: Server, experiment: str, content: bytes) -> dict[str, Any]:
    """Log a run with a file, as the team; return what MLflow has of it."""
    run = post(server, "runs/create", {"experiment_id": experiment})["run"]["info"]
    metric = {"run_id": run["run_id"], "key": "auc", "value": 0.75, "timestamp": NOW}
    post(server, "runs/log-metric", metric)
    upload(server, run, content)
    return run


def path_of(run: dict[str, Any]) -> str:
    """Return the path of the run's file."""
    return f"{FILES}/{run['artifact_uri'].removeprefix('mlflow-artifacts:/')}/model/weights"


def upload(server: Server, run: dict[str, Any], content: bytes) -> None:
    """Write the run's file."""
    assert server.ask(TEAM, "PUT", path_of(run), content).status == 200


def content(s3: Any, run: dict[str, Any]) -> bytes:
    """Return the run's file as the bucket has it."""
    key = f"runs/{run['artifact_uri'].removeprefix('mlflow-artifacts:/')}/model/weights"
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def pause() -> datetime:
    """Return a whole second between what was and what follows: S3 states times of versions in seconds."""
    at = datetime.fromtimestamp(int(time.time()) + 1, UTC)
    time.sleep(max(0.0, at.timestamp() - time.time()) + 1)
    return at


def test_database_and_files_of_one_time_are_restored(
    server: Server, postgres: ArchivedPostgres, s3: Any
) -> None:
    experiment = post(server, "experiments/create", {"name": MODEL})["experiment_id"]
    first = run_with_file(server, experiment, b"good")
    post(server, "registered-models/create", {"name": MODEL})
    source = {"name": MODEL, "source": f"{first['artifact_uri']}/model", "run_id": first["run_id"]}
    post(server, "model-versions/create", source)
    at = pause()
    # A wrong job overwrites files, deletes versions and logs more.
    upload(server, first, b"bad")
    post(server, "runs/set-tag", {"run_id": first["run_id"], "key": "note", "value": "wrong"})
    post(server, "model-versions/delete", {"name": MODEL, "version": "1"}, "DELETE")
    later = run_with_file(server, experiment, b"later")
    assert server.ask(TEAM, "GET", path_of(first)).body == b"bad"

    server.stop()
    postgres.restore(at)
    assert content(s3, first) == b"bad", "the database alone has files of later"
    arguments = ["restore", "aws-staging", BUCKET, "--at", at.isoformat(), "--cloud", "--apply"]
    applied = CliRunner().invoke(app, arguments)
    assert applied.exit_code == 0, applied.output
    server.start()

    run = server.ask(TEAM, "GET", f"{API}/runs/get", None, {"run_id": first["run_id"]}).json()["run"]
    assert [metric["value"] for metric in run["data"]["metrics"]] == [0.75]
    assert "note" not in {tag["key"] for tag in run["data"].get("tags", [])}, "what came later is gone"
    query = {"name": MODEL, "version": "1", "path": "weights"}
    served = server.ask(TEAM, "GET", "/model-versions/get-artifact", None, query)
    assert (served.status, served.body) == (200, b"good"), "the version exists again and has its files"
    gone = server.ask(TEAM, "GET", f"{API}/runs/get", None, {"run_id": later["run_id"]})
    assert gone.status == 404, "the newest state that is restored is that of the time"
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(later["run_id"] in key for key in keys), "files of later runs stay"
    again = run_with_file(server, experiment, b"next")
    assert server.ask(TEAM, "GET", path_of(again)).body == b"next", "the platform works: runs are logged"

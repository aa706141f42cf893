"""Buckets and queues in a server of moto, a catalog of Iceberg and a model registry in files of SQLite."""

from __future__ import annotations

import base64
import gc
import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pytest
from moto import backends
from moto.server import ThreadedMotoServer

NOW = datetime.now(UTC).replace(microsecond=0)
"""Objects of moto have the time of the machine."""
TEAM, MODEL = "pricing", "fares"
_numbers = itertools.count(1)

# Imported packages live to the end: looking through them again and again is a tenth of the time.
gc.set_threshold(200_000)

# The server lists the folders of moto for each request.
_SERVICES = frozenset(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: _SERVICES
TIME = pa.timestamp("us", "UTC")
FEATURES = [("distance", pa.float64()), ("zone", pa.string()), ("rider", pa.string())]
REQUESTS = pa.schema(
    [
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("time", TIME),
        ("version", pa.string()),
        ("inference_service", pa.string()),
        ("object", pa.string()),
        ("problem", pa.string()),
        *FEATURES,
        ("fare", pa.float64()),
        ("trip_id", pa.int64()),
    ]
)
RESULTS = pa.schema(
    [
        *((name, pa.string()) for name in ("run_id", "team", "model", "version", "baseline_table")),
        *((name, pa.string()) for name in ("status", "scores", "quality_metric", "report", "event")),
        *((name, TIME) for name in ("created_at", "window_start", "window_end")),
        *((name, pa.int64()) for name in ("baseline_snapshot", "requests_snapshot", "rows", "other_rows")),
        *((name, pa.int64()) for name in ("problem_rows", "sample_rows", "baseline_rows", "seed")),
        *((name, pa.int32()) for name in ("drifted_columns", "columns", "quality_rows")),
        *((name, pa.float64()) for name in ("quality", "quality_reference")),
    ]
)
TRIPS = pa.schema([*FEATURES, ("paid", pa.float64())])


def declared(**more: Any) -> dict[str, Any]:
    """Return a declared monitor."""
    return {
        "inference_services": ["fares-blue", "fares-green"],
        "requests_table": "curated.requests",
        "results_table": "curated.results",
        "baseline_table": "curated.trips",
        "columns": [
            {"name": "distance", "type": "number"},
            {"name": "zone", "type": "category"},
            {"name": "rider", "type": "category", "classification": "pii"},
        ],
        "predictions": [{"name": "fare", "type": "number", "baseline_column": "paid"}],
        "keys": ["trip_id"],
        "min_rows": 200,
        "sample_rows": 1000,
        **more,
    }


@pytest.fixture(scope="session", autouse=True)
def server() -> Iterator[str]:
    """The address of a server of S3 and SQS; clients find it by variables, and no other identity."""
    started = ThreadedMotoServer(port=0)
    started.start()
    _, port = started.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1",
        "PLATFORM_TEAM": TEAM,
        "NAMESPACE": TEAM,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables["AWS_ENDPOINT_URL"]
    started.stop()


@pytest.fixture
def bucket() -> str:
    """The name of a new bucket."""
    name = f"monitor-{next(_numbers)}"
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return name


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A catalog with empty tables of requests and results, and 2,000 trips that models were trained on."""
    from pyiceberg import catalog as module
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.transforms import DayTransform

    def opened() -> Any:
        return SqlCatalog(
            "default", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse"
        )

    created = opened()
    created.create_namespace("curated")
    for name, schema in {"requests": REQUESTS, "results": RESULTS, "trips": TRIPS}.items():
        created.create_table(f"curated.{name}", schema)
    # As docs/model-monitoring.md states it.
    with created.load_table("curated.requests").update_spec() as spec:
        spec.add_field("time", DayTransform(), "time_day")
    created.load_table("curated.trips").append(trips(2000, 1))
    monkeypatch.setattr(module, "load_catalog", opened)
    return created


def trips(count: int, seed: int, shift: float = 0.0) -> pa.Table:
    """Return trips. shift: of the distance, in its standard deviations."""
    random = np.random.default_rng(seed)
    distance = random.normal(10 + 3 * shift, 3, count)
    return pa.table(
        {
            "distance": distance,
            "zone": random.choice(["north", "south", "west"], count),
            "rider": [f"rider {number}" for number in range(count)],
            "paid": 2 + 1.2 * distance + random.normal(0, 1, count),
        },
        schema=TRIPS,
    )


def served(catalog: Any, count: int, seed: int, start: datetime, **more: Any) -> None:
    """Append requests within the hour from `start`. more: shift, version, problem."""
    rows = trips(count, seed, more.get("shift", 0.0)).to_pylist()
    entries = [
        {
            "request_id": f"{seed}-{at}",
            "row": 0,
            "time": start + timedelta(seconds=at % 3600),
            "version": more.get("version", "1"),
            "inference_service": "fares-blue",
            "object": "o",
            "problem": more.get("problem"),
            **{name: row[name] for name in ("distance", "zone", "rider")},
            "fare": row["paid"],
            "trip_id": seed * 100_000 + at,
        }
        for at, row in enumerate(rows)
    ]
    catalog.load_table("curated.requests").append(pa.Table.from_pylist(entries, schema=REQUESTS))


@pytest.fixture
def monitors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the file of monitors. more: keys that differ."""
    file = tmp_path / "monitors.json"
    monkeypatch.setenv("MONITORS_FILE", str(file))

    def write(**more: Any) -> None:
        file.write_text(json.dumps({MODEL: declared(**more)}))

    write()
    return write


def logged(
    identifier: str, body: Any, *, answer: bool = False, version: str | None = "1", at: datetime = NOW
) -> dict[str, Any]:
    """Return a record as KServe's agent writes it in JSON (kserve v0.20.0, pkg/logger/types.go)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "url": {"Scheme": "s3", "Host": "logs", "Path": ""},
        "bytes": base64.b64encode(data).decode(),
        "contentType": "application/json",
        "reqType": f"org.kubeflow.serving.inference.{'response' if answer else 'request'}",
        "id": identifier,
        "inferenceService": "fares-blue",
        "namespace": TEAM,
        "component": "predictor",
        **({"annotations": {"ai-platform/release": version}} if version else {}),
        # Go writes nanoseconds.
        "occurrenceTime": at.strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
    }


def put(bucket: str, name: str, records: Sequence[dict[str, Any]], service: str = "fares-blue") -> str:
    """Write a batch where the agent does, and return its key below the folder `logs`."""
    key = f"{TEAM}/{service}/predictor/requests/{name}-request.json"
    body = records[0] if len(records) == 1 else list(records)
    boto3.client("s3").put_object(Bucket=bucket, Key=f"logs/{key}", Body=json.dumps(body).encode())
    return key

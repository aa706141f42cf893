"""Windows against the training's snapshot: rows, reports, metrics, and messages that start a training."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from conftest import MODEL, NOW, TEAM, declared, served

from model_monitor import __main__
from model_monitor.errors import RefusedError
from model_monitor.results import PENDING

END = NOW.replace(minute=0, second=0) - timedelta(hours=1)
START = END - timedelta(hours=24)
INSIDE = START + timedelta(hours=3)


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A client of a model registry with the model."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    client: Any = mlflow.MlflowClient()
    client.create_registered_model(f"{TEAM}.{MODEL}")
    client.create_experiment("runs", artifact_location=str(folder / "files"))
    return client


Version = Callable[..., str]


@pytest.fixture
def version(tracking: Any, catalog: Any) -> Version:
    """Registers a version, as training_steps does. table: of its snapshot; None for no tag."""
    from model_monitor import registry

    def register(table: str | None = "curated.trips", **metrics: float) -> str:
        experiment = tracking.get_experiment_by_name("runs").experiment_id
        run = tracking.create_run(experiment).info
        tags = {f"ai-platform.evaluation.candidate.{name}": f"{value}" for name, value in metrics.items()}
        if table is not None:
            snapshot = catalog.load_table("curated.trips").current_snapshot().snapshot_id
            tags[registry.SNAPSHOTS] = json.dumps({table: snapshot})
        name = f"{TEAM}.{MODEL}"
        return str(tracking.create_model_version(name, f"{run.artifact_uri}/m", run.run_id, tags).version)

    return register


class Gateway:
    """A Pushgateway: path of a group -> its metrics."""

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}
        groups = self.groups

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                groups[self.path] = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def value(self, series: str, job: str = "model-monitor") -> float | None:
        """Return the value of a series; None where there is none."""
        text = self.groups[f"/metrics/job/{job}/model/{MODEL}/team/{TEAM}"]
        for line in text.splitlines():
            if line.rpartition(" ")[0] == f"ai_platform_monitor_{series}":
                return float(line.rpartition(" ")[2])
        return None


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A Pushgateway that the program finds."""
    started = Gateway()
    threading.Thread(target=started.server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PUSHGATEWAY_URL", f"http://127.0.0.1:{started.server.server_address[1]}")
    yield started
    started.server.shutdown()


@pytest.fixture
def queue(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Returns the messages of the team's queue, which the program finds, as the bucket of reports."""
    client: Any = boto3.client("sqs")
    address = client.create_queue(QueueName=bucket)["QueueUrl"]
    monkeypatch.setenv("QUEUE", address)
    monkeypatch.setenv("REPORTS_URI", f"s3://{bucket}/reports/")

    def messages() -> list[str]:
        received = client.receive_message(QueueUrl=address, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in received.get("Messages", [])]

    return messages


def results(catalog: Any) -> list[dict[str, Any]]:
    rows = catalog.load_table("curated.results").scan().to_arrow().to_pylist()
    return sorted(rows, key=lambda row: row["created_at"])


def compare(**more: Any) -> None:
    __main__.compare(MODEL, more.get("end", END.isoformat()), more.get("version"))


def test_quiet_day_is_quiet_and_a_drifted_one_trains_once(
    catalog: Any,
    version: Version,
    gateway: Gateway,
    queue: Any,
    monitors: Any,
    bucket: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RefusedError, match="no result of fares"):
        __main__.report(MODEL)
    first = version()
    served(catalog, 600, 11, INSIDE, version=first)
    served(catalog, 50, 12, INSIDE, version="0")
    served(catalog, 30, 13, INSIDE, version=first, problem="not_json")
    served(catalog, 900, 14, END, version=first, shift=3.0)
    compare()
    [row] = results(catalog)
    assert (row["status"], row["event"], row["version"]) == ("ok", "none", first)
    assert (row["rows"], row["other_rows"], row["problem_rows"]) == (600, 50, 30)
    assert (row["window_start"], row["window_end"]) == (START, END), (
        "half-open: the rows at END are not in it"
    )
    trained = catalog.load_table("curated.trips").current_snapshot().snapshot_id
    assert row["baseline_snapshot"] == trained
    assert (row["sample_rows"], row["baseline_rows"], row["seed"]) == (600, 1000, 20)
    assert queue() == []
    assert gateway.value("window_drifted") == 0
    assert gateway.value("rows") == 600
    assert gateway.value('missing_share{column="zone"}') == 0

    served(catalog, 600, 15, INSIDE, version=first, shift=1.5)
    compare()
    compare()
    rows = results(catalog)[1:]
    assert [(row["status"], row["event"]) for row in rows] == [
        ("drifted", "pending"),
        ("drifted", "sent"),
        ("drifted", "cooldown"),
    ]
    assert rows[0]["run_id"] == rows[1]["run_id"] != rows[2]["run_id"]
    assert queue() == ['{"train": {"model": "fares", "cause": "drift"}}']
    assert gateway.value("window_drifted") == 1
    assert gateway.value('drifted{column="distance"}') == 1
    assert gateway.value('drifted{column="zone"}') == 0
    value = gateway.value('drift_score{column="distance",score="wasserstein"}')
    assert value is not None
    assert value > gateway.value('threshold{column="distance",score="wasserstein"}')
    drifted = {score["column"] for score in json.loads(rows[0]["scores"]) if score["drifted"]}
    assert drifted == {"distance", "fare"}
    key = rows[0]["report"].removeprefix(f"s3://{bucket}/")
    assert key.startswith(f"reports/{TEAM}/{MODEL}/{END:%Y%m%dT%H%M%SZ}-")
    html = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert "1200, of which 1000 compared" in html
    assert "<td" in html, "the table of scores"
    assert not {word for word in ("rider 1", ">rider<", '"rider"') if word in html}, "pii is not in a report"
    assert "rider" not in json.dumps(results(catalog), default=str), "nor in a row"
    capsys.readouterr()
    __main__.report(MODEL)
    last = json.loads(capsys.readouterr().out)
    assert (last["event"], last["window_end"]) == ("cooldown", END.isoformat())
    assert last["scores"] == json.loads(rows[2]["scores"])


def test_new_version_replaces_the_series_of_the_one_before(
    catalog: Any, version: Version, gateway: Gateway, queue: Any, monitors: Any
) -> None:
    one, two = version(), version()
    snapshot = catalog.load_table("curated.trips").current_snapshot().snapshot_id
    served(catalog, 300, 21, INSIDE, version=one)
    compare()
    labels = f'snapshot="{snapshot}",status="ok"'
    assert gateway.value(f'info{{{labels},version="{one}"}}') == 1
    served(catalog, 400, 22, INSIDE, version=two)
    compare()
    assert gateway.value(f'info{{{labels},version="{one}"}}') is None
    assert gateway.value(f'info{{{labels},version="{two}"}}') == 1
    compare(version=one)
    assert results(catalog)[-1]["version"] == one


def test_window_with_too_few_rows_has_a_row_and_metrics_and_no_alarm(
    catalog: Any, version: Version, gateway: Gateway, queue: Any, monitors: Any
) -> None:
    served(catalog, 199, 31, INSIDE, version=version(), shift=3.0)
    compare()
    [row] = results(catalog)
    assert (row["status"], row["rows"], row["report"], row["event"]) == ("too_few", 199, None, "none")
    assert gateway.value("rows") == 199
    assert gateway.value("window_drifted") is None
    assert queue() == []


def test_window_without_rows_is_of_the_champion(
    catalog: Any, version: Version, tracking: Any, gateway: Gateway, queue: Any, monitors: Any
) -> None:
    with pytest.raises(RefusedError, match="has no champion"):
        compare()
    tracking.set_registered_model_alias(f"{TEAM}.{MODEL}", "champion", number := version())
    compare()
    tracking.delete_registered_model_alias(f"{TEAM}.{MODEL}", "champion")
    assert [(row["version"], row["status"]) for row in results(catalog)] == [(number, "too_few")]


def test_message_that_a_killed_run_did_not_send_is_sent_later(
    catalog: Any, version: Version, queue: Any, monitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(catalog, 600, 41, INSIDE, version=version(), shift=1.5)
    with monkeypatch.context() as patch:

        def kill(*_: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(__main__.queues, "send", kill)
        with pytest.raises(KeyboardInterrupt):
            compare()
    assert [row["event"] for row in results(catalog)] == [PENDING]
    compare()
    assert results(catalog)[-1]["event"] == "cooldown", "a run at the same time may still send it"
    monkeypatch.setattr(__main__, "_now", lambda: datetime.now(UTC) + timedelta(minutes=11))
    compare()
    assert [row["event"] for row in results(catalog)][-2:] == [PENDING, "sent"]
    assert len(queue()) == 1
    monkeypatch.setattr(__main__, "_now", lambda: datetime.now(UTC) + timedelta(hours=73))
    compare()
    assert len(queue()) == 2, "the cool-down is over"


def test_message_that_the_queue_refused_is_sent_by_the_next_attempt(
    catalog: Any, version: Version, queue: Any, monitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(catalog, 600, 42, INSIDE, version=version(), shift=1.5)
    with monkeypatch.context() as patch:

        def refuse(*_: Any) -> None:
            raise ConnectionError

        patch.setattr(__main__.queues, "send", refuse)
        with pytest.raises(ConnectionError):
            compare()
    compare()
    compare()
    events = [row["event"] for row in results(catalog)]
    assert events == [PENDING, "failed", PENDING, "sent", "cooldown"]
    assert len(queue()) == 1


def test_monitor_that_does_not_retrain_needs_no_queue(
    catalog: Any, version: Version, queue: Any, monitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitors(retrain=False)
    monkeypatch.delenv("QUEUE")
    served(catalog, 600, 51, INSIDE, version=version(), shift=1.5)
    compare()
    assert [(row["status"], row["event"]) for row in results(catalog)] == [("drifted", "off")]


def test_quality_is_compared_with_the_registered_metric(
    catalog: Any, version: Version, gateway: Gateway, queue: Any, monitors: Any
) -> None:
    """Labels arrive for half of the requests."""
    labels = {"table": "curated.paid", "key": "trip_id", "label": "paid", "prediction": "fare"}
    monitors(labels={**labels, "metric": "mae", "max_loss": 0.5})
    served(catalog, 600, 61, INSIDE, version=version(mae=0.8))
    requests = catalog.load_table("curated.requests").scan().to_arrow()
    half = requests.slice(0, 300)
    schema = pa.schema([("trip_id", pa.int64()), ("paid", pa.float64())])
    catalog.create_table("curated.paid", schema)
    errors = [fare + 1.2 for fare in half["fare"].to_pylist()]
    paid = pa.table({"trip_id": half["trip_id"], "paid": errors}, schema=schema)
    catalog.load_table("curated.paid").append(paid)
    compare()
    row = results(catalog)[-1]
    assert (row["quality_metric"], row["quality_rows"], row["status"]) == ("mae", 300, "ok")
    assert row["quality"] == pytest.approx(1.2)
    assert row["quality_reference"] == 0.8
    monitors(labels={**labels, "metric": "mae", "max_loss": 0.3})
    compare()
    row = results(catalog)[-2]
    assert (row["status"], row["drifted_columns"], row["event"]) == ("drifted", 0, "pending")
    assert gateway.value('quality_drifted{metric="mae"}') == 1


def test_quality_is_that_of_the_window_whose_labels_have_arrived(
    catalog: Any, version: Version, gateway: Gateway, queue: Any, monitors: Any
) -> None:
    """Labels of today arrive next week; those of last week's answers are there."""
    labels = {"table": "curated.paid", "key": "trip_id", "label": "paid", "prediction": "fare"}
    monitors(labels={**labels, "metric": "mae", "max_loss": 0.3, "delay_hours": 168})
    number = version(mae=0.8)
    served(catalog, 600, 62, INSIDE - timedelta(hours=168), version=number)
    past = catalog.load_table("curated.requests").scan().to_arrow()
    served(catalog, 600, 63, INSIDE, version=number)
    schema = pa.schema([("trip_id", pa.int64()), ("paid", pa.float64())])
    catalog.create_table("curated.paid", schema)
    wrong = [fare + 1.2 for fare in past["fare"].to_pylist()]
    catalog.load_table("curated.paid").append(
        pa.table({"trip_id": past["trip_id"], "paid": wrong}, schema=schema)
    )
    compare()
    row = results(catalog)[-2]
    assert (row["quality_rows"], row["status"], row["drifted_columns"]) == (600, "drifted", 0)
    assert (row["window_end"], row["rows"]) == (END, 600), "drift is that of today"
    assert gateway.value('quality_drifted{metric="mae"}') == 1


def test_answers_without_a_column_of_the_training_have_the_first_ones_as_baseline(
    catalog: Any, version: Version, queue: Any, monitors: Any
) -> None:
    monitors(predictions=[{"name": "fare", "type": "number"}])
    number = version()
    served(catalog, 600, 71, INSIDE, version=number)
    compare()
    assert "fare" not in {score["column"] for score in json.loads(results(catalog)[-1]["scores"])}
    served(catalog, 300, 72, START - timedelta(days=2), version=number, shift=-2.0)
    compare()
    scores = json.loads(results(catalog)[-1]["scores"])
    assert {score["column"] for score in scores if score["drifted"]} == {"fare"}
    assert [score["value"] for score in scores if score["score"] == "missing"] == [0, 0, 0]


def test_first_answers_are_read_without_the_files_after_them(
    catalog: Any, version: Version, queue: Any, monitors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that has answered for months is not read whole each day."""
    from model_monitor import compare as module
    from model_monitor import tables

    monitors(predictions=[{"name": "fare", "type": "number"}], sample_rows=500, min_rows=200)
    number = version()
    served(catalog, 600, 77, INSIDE, version=number)
    for day in (3, 9, 5):
        shift = -2.0 if day == 9 else 0.0
        served(catalog, 400, 70 + day, START - timedelta(days=day), version=number, shift=shift)
    read: list[int] = []
    real = tables.by_time

    def counted(*arguments: Any) -> Any:
        for earliest, batches in real(*arguments):
            assert earliest is not None
            yield earliest, (read.append((START - earliest).days) or batch for batch in batches)

    monkeypatch.setattr(module.tables, "by_time", counted)
    compare()
    assert sorted(set(read), reverse=True) == [9, 5], "500 rows are in the first two files"
    scores = json.loads(results(catalog)[-2]["scores"])
    assert {score["column"] for score in scores if score["drifted"]} == {"fare"}


def test_version_without_a_baseline_is_refused(
    catalog: Any, version: Version, queue: Any, monitors: Any
) -> None:
    for number in (version(None), version("curated.other")):
        served(catalog, 300, 80, INSIDE, version=number)
        with pytest.raises(RefusedError, match=r"expected the snapshot of curated\.trips"):
            compare(version=number)
    with pytest.raises(RefusedError, match=r"version 999 of pricing\.fares"):
        compare(version="999")
    assert results(catalog) == []


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"baseline_table": "curated.none"}, "expected a table of the lakehouse"),
        ({"columns": [{"name": "zone", "type": "category", "baseline_column": "area"}]}, "no column area"),
        (
            {
                "labels": {
                    "table": "curated.trips",
                    "key": "trip_id",
                    "label": "paid",
                    "prediction": "fare",
                    "metric": "mae",
                    "max_loss": 1,
                }
            },
            "no column trip_id",
        ),
        ({"results_table": "curated.trips"}, "no column run_id"),
    ],
)
def test_unknown_table_and_column_are_refused(
    catalog: Any, queue: Any, monitors: Any, tracking: Any, more: Any, error: str
) -> None:
    monitors(**more)
    with pytest.raises(RefusedError, match=error):
        compare()


@pytest.mark.parametrize("end", ["yesterday", "2026-11-28T00:00:00", "2999-01-01T00:00:00Z"])
def test_end_that_is_no_time_of_the_past_is_refused(
    catalog: Any, queue: Any, monitors: Any, tracking: Any, end: str
) -> None:
    with pytest.raises(RefusedError, match="--end"):
        compare(end=end)


def test_default_window_ends_at_a_full_hour_after_its_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    from model_monitor.compare import Window, window
    from model_monitor.declaration import Monitor

    monitor = Monitor.model_validate(declared(window_hours=2, delay_minutes=45))
    ended = datetime(2026, 11, 28, 9, tzinfo=UTC)
    assert window(monitor, datetime(2026, 11, 28, 10, 44, tzinfo=UTC), None) == Window(
        ended - timedelta(hours=2), ended
    )


def test_command_ends_with_2_for_a_refusal_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("MONITORS_FILE", str(tmp_path / "none.json"))
    monkeypatch.setattr("sys.argv", ["model_monitor", "compact", MODEL])
    assert __main__.main() == 2
    assert capsys.readouterr().err.count("\n") == 1

"""The steps, with a catalog of Iceberg and a model registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training_steps import __main__, tables
from training_steps.errors import RefusedError


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A catalog with two tables: `orders` has rows, `customers` has none yet."""
    import pyarrow as pa
    from pyiceberg import catalog as module
    from pyiceberg.catalog.sql import SqlCatalog

    warehouse = f"file://{tmp_path}/warehouse"
    created = SqlCatalog("default", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=warehouse)
    created.create_namespace("curated")
    rows = pa.table({"id": [1, 2]})
    for name in ("orders", "customers"):
        created.create_table(f"curated.{name}", rows.schema)
    created.load_table("curated.orders").append(rows)
    monkeypatch.setattr(module, "load_catalog", lambda: created)
    return created, rows


def _output(tmp_path: Path, name: str) -> str:
    return (tmp_path / "outputs" / name).read_text()


def test_all_steps_read_the_pinned_snapshots(catalog: Any, models: Path, tmp_path: Path) -> None:
    tables_of, rows = catalog
    __main__.pin("fares")
    snapshot = _output(tmp_path, "snapshot")
    assert int(snapshot) == tables_of.load_table("curated.orders").current_snapshot().snapshot_id
    tables_of.load_table("curated.customers").append(rows)
    tables_of.load_table("curated.orders").append(rows)
    __main__.features("fares", snapshot)
    customers = tables_of.load_table("curated.customers").current_snapshot().snapshot_id
    assert json.loads(_output(tmp_path, "snapshots")) == {
        "curated.customers": customers,
        "curated.orders": int(snapshot),
    }
    assert json.loads(_output(tmp_path, "feature_views")) == {"customers": "3"}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("curated.customers", "it has no snapshot"),
        ("curated.none", "expected a table of the lakehouse"),
        ("none.orders", "expected a table of the lakehouse"),
    ],
)
def test_table_without_rows_and_unknown_table_are_refused(catalog: Any, name: str, error: str) -> None:
    with pytest.raises(RefusedError, match=error):
        tables.current_snapshot(name)


def test_unknown_model_is_refused(models: Path) -> None:
    with pytest.raises(RefusedError, match="model 'other': expected one of fares"):
        __main__.pin("other")


def _run(client: Any, name: str, report: Any, *, model: bool = True) -> str:
    """Log a finished run as a training and an evaluation do; returns its id."""
    experiment = client.get_experiment_by_name("pricing.fares").experiment_id
    run = client.create_run(experiment, run_name=name).info.run_id
    client.log_metric(run, "accuracy", 0.9)
    if model:
        client.log_text(run, "flavors: {}", "model/MLmodel")
    client.log_text(run, json.dumps(report), "evaluation.json")
    client.set_terminated(run)
    return str(run)


SNAPSHOTS = json.dumps({"curated.orders": 5, "curated.customers": 6})


def test_better_version_is_registered_with_its_lineage_and_a_worse_one_is_not_promoted(
    tracking: str, models: Path, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    client: Any = MlflowClient()
    first = _run(client, "train-fares-1", {"candidate": {"accuracy": 0.9}, "champion": None})
    __main__.candidate("fares", "train-fares-1")
    assert (_output(tmp_path, "run"), _output(tmp_path, "champion")) == (first, "")
    views = json.dumps({"customers": "3"})
    __main__.register("fares", SNAPSHOTS, views, first, "")
    version = _output(tmp_path, "version")
    assert _output(tmp_path, "better") == "true"
    tags = client.get_model_version("pricing.fares", version).tags
    assert json.loads(tags["ai-platform.snapshots"]) == json.loads(SNAPSHOTS)
    assert tags["ai-platform.evaluation_set"] == "curated.orders@5"
    assert tags["ai-platform.evaluation.candidate.accuracy"] == "0.9"
    assert tags["ai-platform.evaluation.result"] == "better"
    __main__.register("fares", SNAPSHOTS, views, first, "")
    assert _output(tmp_path, "version") == version, "a step that runs again registers no second version"

    client.set_registered_model_alias("pricing.fares", "champion", version)
    report = {"candidate": {"accuracy": 0.88}, "champion": {"accuracy": 0.89}}
    second = _run(client, "train-fares-2", report)
    __main__.candidate("fares", "train-fares-2")
    assert _output(tmp_path, "champion") == version
    __main__.register("fares", SNAPSHOTS, views, second, version)
    assert _output(tmp_path, "better") == "false"
    worse = client.get_model_version("pricing.fares", _output(tmp_path, "version")).tags
    assert worse["ai-platform.evaluation.champion_version"] == version
    assert "is not better than 0.89" in worse["ai-platform.evaluation.result"]


def test_training_without_a_run_or_a_model_is_refused(tracking: str, models: Path) -> None:
    from mlflow import MlflowClient

    client: Any = MlflowClient()
    with pytest.raises(RefusedError, match="0 finished runs 'none'"):
        __main__.candidate("fares", "none")
    empty = _run(client, "train-fares-3", {"candidate": {"accuracy": 0.9}}, model=False)
    with pytest.raises(RefusedError, match="it logged no model"):
        __main__.register("fares", SNAPSHOTS, "{}", empty, "")


def test_run_without_a_report_is_refused(tracking: str, models: Path) -> None:
    from mlflow import MlflowClient

    client: Any = MlflowClient()
    experiment = client.get_experiment_by_name("pricing.fares").experiment_id
    run = client.create_run(experiment, run_name="train-fares-4").info.run_id
    with pytest.raises(RefusedError, match=r"no evaluation\.json"):
        __main__.register("fares", SNAPSHOTS, "{}", run, "")


def test_jobs_get_what_the_steps_before_found(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[Any] = []
    monkeypatch.setattr(__main__, "_kubernetes", lambda: None)
    monkeypatch.setattr(__main__.Jobs, "run", lambda _, body: bodies.append(body))
    __main__.train("fares", "train-fares-1", "uid", SNAPSHOTS, "{}")
    __main__.evaluate("fares", "train-fares-1", "uid", SNAPSHOTS, "{}", "r1", "4")
    training, evaluation = bodies
    for body in bodies:
        stated = {entry["name"]: entry["value"] for entry in body["spec"]["trainer"]["env"]}
        assert stated["PLATFORM_TEAM"] == "pricing", "the experiment has its name"
    assert training["spec"]["trainer"]["args"][1] == "--snapshot=5"
    assert evaluation["metadata"]["name"] == "train-fares-1-eval"
    assert evaluation["spec"]["trainer"]["args"] == ["--run=r1"]
    variables = {entry["name"]: entry["value"] for entry in evaluation["spec"]["trainer"]["env"]}
    assert variables["CANDIDATE"] == "runs:/r1/model"
    assert variables["CHAMPION"] == "models:/pricing.fares/4"
    assert variables["SNAPSHOT"] == "5", "the same snapshot"

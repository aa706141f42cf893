"""The steps with Feast's local stores and a catalog in a file of SQLite."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog

from shop.events import FIRST_DAY, Shop

TIME = pa.timestamp("us", "UTC")
FEATURES = [
    ("recent_items", pa.string()),
    ("clicks", pa.int64()),
    ("mean_price", pa.float64()),
    ("top_category", pa.string()),
    ("top_share", pa.float64()),
]
SCHEMAS = {
    "curated.clicks": [
        *((name, pa.string()) for name in ("event_id", "user_id", "category", "kind")),
        ("item_id", pa.int64()),
        ("price", pa.float64()),
        ("happened_at", TIME),
    ],
    "serving.user_activity": [("user_id", pa.string()), ("event_timestamp", TIME), *FEATURES],
    "curated.examples": [("user_id", pa.string()), ("moment", TIME), *FEATURES, ("next_items", pa.string())],
}
STORE = """\
project: shop
provider: local
registry: {folder}/registry.db
offline_store: {{type: file}}
online_store: {{type: sqlite, path: {folder}/online.db}}
entity_key_serialization_version: 3
"""


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A catalog with the clicks of four days, and the configuration of Feast."""
    from pyiceberg import catalog as module
    from pyiceberg.utils.config import Config

    variables = {
        "PYICEBERG_CATALOG__DEFAULT__URI": f"sqlite:///{tmp_path}/catalog.db",
        "PYICEBERG_CATALOG__DEFAULT__WAREHOUSE": f"file://{tmp_path}/warehouse",
        "CLICKS_TABLE": "curated.clicks",
        "ACTIVITY_TABLE": "serving.user_activity",
        "EXAMPLES_TABLE": "curated.examples",
        "FEATURE_SOURCE": "file",
        "ACTIVITY_FILE": str(tmp_path / "activity.parquet"),
        "FEATURE_REPOSITORY": str(tmp_path),
        "FEAST_USAGE": "False",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_ENV_CONFIG", Config())
    (tmp_path / "feature_store.yaml").write_text(STORE.format(folder=tmp_path))
    opened = load_catalog()
    for name, schema in SCHEMAS.items():
        opened.create_namespace_if_not_exists(name.partition(".")[0])
        opened.create_table(name, pa.schema(schema))
    add(opened, 0, 4)
    return opened


def add(catalog: Any, first: int, days: int) -> None:
    rows = [
        {**click, "happened_at": datetime.fromisoformat(click["happened_at"])}
        for click in Shop(users=40, items=60).days(first, days, 300 * days)
    ]
    table = catalog.load_table("curated.clicks")
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))


def test_examples_have_features_as_they_were_known_and_answers_are_the_newest(
    tmp_path: Path, catalog: Any
) -> None:
    from feast import FeatureStore

    from features.__main__ import apply, examples, update

    end = FIRST_DAY + timedelta(days=4)
    assert update(end)["moments"] == 8
    assert update(end)["rows"] == 0, "a repeated step appends nothing"
    assert apply() == apply() == {"view": "user_activity"}, "each run of the schedule registers it"
    store = FeatureStore(repo_path=str(tmp_path))
    made = examples(end)
    assert made["moments"] == 7, "what follows the last moment is not known"
    assert examples(end)["rows"] == 0
    clicks = catalog.load_table("curated.clicks").scan().to_pandas()
    rows = catalog.load_table("curated.examples").scan().to_pandas()
    for row in rows.sample(40, random_state=1).to_dict("records"):
        of_user = clicks[clicks["user_id"] == row["user_id"]].sort_values(["happened_at", "event_id"])
        before = of_user[of_user["happened_at"] < row["moment"]].tail(20)
        assert row["recent_items"] == " ".join(f"i{item}" for item in before["item_id"]), (
            "a click of the future"
        )
        after = of_user[of_user["happened_at"] >= row["moment"]]["item_id"].head(1).item()
        assert row["next_items"].split()[0] == f"i{after}"
    # A further day: only its moments are added.
    add(catalog, 4, 1)
    later = end + timedelta(days=1)
    assert update(later)["moments"] == 2
    assert examples(later)["moments"] == 2
    store.materialize(start_date=FIRST_DAY, end_date=later)
    answers = store.get_online_features(["user_activity:recent_items"], [{"user_id": "u00001"}]).to_dict()
    newest = catalog.load_table("serving.user_activity").scan().to_pandas()
    newest = newest[newest["user_id"] == "u00001"].sort_values("event_timestamp")
    assert answers["recent_items"] == [newest["recent_items"].iloc[-1]]


def test_a_source_that_nothing_reads_is_refused(monkeypatch: pytest.MonkeyPatch, catalog: Any) -> None:
    from features import definitions

    with pytest.raises(ValueError, match="FEATURE_SOURCE: got 'hive'; expected athena, bigquery or file"):
        definitions.source("hive")
    monkeypatch.setenv("ACTIVITY_SOURCE", "acme_dev_serving.user_activity")
    assert '"acme_dev_serving"."user_activity"' in definitions.source("athena").query  # pyright: ignore
    monkeypatch.setenv("ACTIVITY_SOURCE", "acme-dev.lake.acme_dev_serving.user_activity")
    assert definitions.source("bigquery").table == "acme-dev.lake.acme_dev_serving.user_activity"  # pyright: ignore

"""A catalog of Iceberg in a file of SQLite, which the program finds by its variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog

TIME = pa.timestamp("us", "UTC")
SCHEMAS = {
    "clicks": pa.schema(
        [
            ("event_id", pa.string()),
            ("user_id", pa.string()),
            ("item_id", pa.int64()),
            ("category", pa.string()),
            ("kind", pa.string()),
            ("price", pa.float64()),
            ("happened_at", TIME),
            ("source", pa.string()),
        ]
    ),
    "impressions": pa.schema(
        [
            ("request_id", pa.string()),
            ("user_id", pa.string()),
            ("version", pa.string()),
            ("items", pa.string()),
            ("happened_at", TIME),
            ("source", pa.string()),
        ]
    ),
}


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The catalog, with empty tables."""
    monkeypatch.setenv("PYICEBERG_CATALOG__DEFAULT__URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setenv("PYICEBERG_CATALOG__DEFAULT__WAREHOUSE", f"file://{tmp_path}/warehouse")
    for name in SCHEMAS:
        monkeypatch.setenv(f"{name.upper()}_TABLE", f"curated.{name}")
    # Read from the variables when the module was loaded.
    from pyiceberg import catalog as module
    from pyiceberg.utils.config import Config

    monkeypatch.setattr(module, "_ENV_CONFIG", Config())
    opened = load_catalog()
    opened.create_namespace("curated")
    for name, schema in SCHEMAS.items():
        opened.create_table(f"curated.{name}", schema)
    return opened

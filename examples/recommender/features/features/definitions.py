"""Feast's definitions: the view `user_activity` of the table of activity.

    python -m features apply

FEATURE_SOURCE states what reads the table: `athena` (ACTIVITY_SOURCE, `DATABASE.user_activity`), `bigquery`
(ACTIVITY_SOURCE, the table of BigLake in BigQuery's form, `PROJECT.CATALOG.DATABASE.user_activity`) or `file`
(ACTIVITY_FILE, a copy in Parquet: Feast's local store reads no Iceberg).
"""

import os
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.data_source import DataSource
from feast.types import Float64, Int64, String

_COLUMNS = "user_id, recent_items, clicks, mean_price, top_category, top_share"


def source(kind: str) -> DataSource:
    """Return the source of the view. Raises ValueError for an unknown kind."""
    if kind == "athena":
        from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import AthenaSource

        # A query, and timestamps of milliseconds: examples/feature_store/features.py states why.
        database, _, table = os.environ["ACTIVITY_SOURCE"].partition(".")
        query = (
            f"SELECT {_COLUMNS}, CAST(event_timestamp AS timestamp(3)) AS event_timestamp "  # noqa: S608
            f'FROM "AwsDataCatalog"."{database}"."{table}"'
        )
        return AthenaSource(name="activity", query=query, timestamp_field="event_timestamp")
    if kind == "bigquery":
        from feast import BigQuerySource

        return BigQuerySource(
            name="activity", table=os.environ["ACTIVITY_SOURCE"], timestamp_field="event_timestamp"
        )
    if kind == "file":
        return FileSource(
            name="activity", path=os.environ["ACTIVITY_FILE"], timestamp_field="event_timestamp"
        )
    raise ValueError(f"FEATURE_SOURCE: got {kind!r}; expected athena, bigquery or file")


user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.STRING)

user_activity = FeatureView(
    name="user_activity",
    entities=[user],
    # An older value is treated as missing, and the user as a new one.
    ttl=timedelta(days=30),
    schema=[
        Field(name="user_id", dtype=String),
        Field(name="recent_items", dtype=String),
        Field(name="clicks", dtype=Int64),
        Field(name="mean_price", dtype=Float64),
        Field(name="top_category", dtype=String),
        Field(name="top_share", dtype=Float64),
    ],
    source=source(os.environ.get("FEATURE_SOURCE", "athena")),
    online=True,
)

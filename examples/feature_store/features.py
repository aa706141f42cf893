"""Features of drivers, from the table `serving.driver_stats` of a lakehouse on AWS.

    feast apply                                         adds them to the registry
    feast materialize-incremental 2026-11-25T12:00:00   writes the newest values to the online store, as the
                                                        platform's schedule does

The file `feature_store.yaml` in this folder is that of your principal, from the output `clients`. List the
view in the feature store's argument `feature_views`, so that its table is created.
"""

import os
from datetime import timedelta

from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import AthenaSource
from feast.types import Float64, Int64

# The database of the zone, as the lakehouse's output `zones` has it.
DATABASE = os.environ.get("LAKEHOUSE_DATABASE", "acme_dev_serving")

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

# A query and not a table: Feast looks for a table only in the database of its temporary tables. Iceberg's
# timestamps have microseconds and may have a time zone; the Parquet files that Athena writes for Feast in
# Hive's format have milliseconds and none.
trips = AthenaSource(
    name="trips",
    query=f"""
        SELECT driver_id, conversion_rate, trips_today,
               CAST(event_timestamp AS timestamp(3)) AS event_timestamp
        FROM "AwsDataCatalog"."{DATABASE}"."driver_stats"
    """,  # noqa: S608 - the database is no user input
    timestamp_field="event_timestamp",
)

driver_stats = FeatureView(
    name="driver_stats",
    entities=[driver],
    # The maximum age of a value at the requested time. A point-in-time join treats an older one as missing,
    # and so does the online store. The first run of the schedule reads values of this period.
    ttl=timedelta(days=2),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="conversion_rate", dtype=Float64),
        Field(name="trips_today", dtype=Int64),
    ],
    source=trips,
    online=True,
)

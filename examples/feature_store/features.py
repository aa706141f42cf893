"""Features of drivers, from the table `serving.driver_stats` of a lakehouse on AWS.

    feast apply                                         tells the registry of them
    feast materialize-incremental 2026-11-25T12:00:00   carries the newest values into the online store; the
                                                        platform's schedule does so by itself

The file `feature_store.yaml` beside this one is that of your principal in the output `clients`. Name
the view in its argument `feature_views`, so that its table is made.
"""

import os
from datetime import timedelta

from feast import Entity, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import AthenaSource
from feast.types import Float64, Int64

# The database of the zone, as the lakehouse's output `zones` has it.
DATABASE = os.environ.get("LAKEHOUSE_DATABASE", "acme_dev_serving")

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

# A query and not a table: Feast looks for a table by its name in its own database alone. Iceberg's timestamps
# have six digits after the second, and perhaps a zone; what Athena writes for Feast, Parquet in Hive's way,
# has three and none.
trips = AthenaSource(
    name="trips",
    query=f"""
        SELECT driver_id, conversion_rate, trips_today,
               CAST(event_timestamp AS timestamp(3)) AS event_timestamp
        FROM "AwsDataCatalog"."{DATABASE}"."driver_stats"
    """,  # noqa: S608 - no stranger's words
    timestamp_field="event_timestamp",
)

driver_stats = FeatureView(
    name="driver_stats",
    entities=[driver],
    # How old a value may be at the moment that it is asked for. In a point-in-time join an older one is as
    # good as none; online too, once it has been that long since it happened. The first run of the schedule
    # looks back this far.
    ttl=timedelta(days=2),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="conversion_rate", dtype=Float64),
        Field(name="trips_today", dtype=Int64),
    ],
    source=trips,
    online=True,
)

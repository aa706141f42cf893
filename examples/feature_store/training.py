"""Training data by a point-in-time join: for each driver and moment the values as they were known then.

    store = FeatureStore(repo_path=".")
    print(training_data(store, [1001, 1001], [monday, wednesday]))

For each driver the join returns the newest row at or before the requested time, and none that is older than
the view's `ttl`: a model is never trained on values that were not known yet. The principal that runs it must
be one of the feature store's `readers` and have a grant of the lakehouse on the table.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from feast import FeatureStore

FEATURES = ["driver_stats:conversion_rate", "driver_stats:trips_today"]


def training_data(store: FeatureStore, drivers: Sequence[int], moments: Sequence[datetime]) -> pd.DataFrame:
    """Return one row for each driver and timestamp."""
    requests = pd.DataFrame({"driver_id": list(drivers), "event_timestamp": pd.to_datetime(list(moments))})
    return store.get_historical_features(entity_df=requests, features=FEATURES).to_df()


def online_features(store: FeatureStore, drivers: Sequence[int]) -> dict[str, list[object]]:
    """Return the newest values, from the online store, as a model reads them to answer a request."""
    rows = [{"driver_id": driver} for driver in drivers]
    return store.get_online_features(features=FEATURES, entity_rows=rows).to_dict()

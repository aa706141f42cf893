"""Training data by a point-in-time join: for each driver and moment the values as they were known then.

    store = FeatureStore(repo_path=".")
    print(training_data(store, [1001, 1001], [monday, wednesday]))

Of the rows of a driver, the join takes the newest that happened at or before the moment that is asked for,
and none that is older than the view's `ttl`: a model never learns from what its future held. Whoever runs it
needs to stand among the feature store's `readers` and to have a grant of the lakehouse on the table.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from feast import FeatureStore

FEATURES = ["driver_stats:conversion_rate", "driver_stats:trips_today"]


def training_data(store: FeatureStore, drivers: Sequence[int], moments: Sequence[datetime]) -> pd.DataFrame:
    """One row a driver and moment."""
    asked = pd.DataFrame({"driver_id": list(drivers), "event_timestamp": pd.to_datetime(list(moments))})
    return store.get_historical_features(entity_df=asked, features=FEATURES).to_df()


def online_features(store: FeatureStore, drivers: Sequence[int]) -> dict[str, list[object]]:
    """What a model is given when it answers: the newest values, from the online store."""
    rows = [{"driver_id": driver} for driver in drivers]
    return store.get_online_features(features=FEATURES, entity_rows=rows).to_dict()

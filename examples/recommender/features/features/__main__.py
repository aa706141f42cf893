"""The steps that follow new clicks; each prints a JSON object.

    python -m features apply                                   registers the view of definitions.py in Feast
    python -m features update --until 2026-11-16T00:00:00Z     the activity at each moment since the last one
    python -m features examples --until 2026-11-16T00:00:00Z   examples whose next clicks are known by then

Without `--until` that is now. `examples` joins by Feast at each moment, so that an example has the features as they were known then. Variables:
CLICKS_TABLE, ACTIVITY_TABLE and EXAMPLES_TABLE; FEATURE_REPOSITORY, the folder of feature_store.yaml; those of
`definitions.py`, and of PyIceberg's catalog `default`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from features import activity, tables


def main(words: Sequence[str] | None = None) -> None:
    """Run a step."""
    parser = argparse.ArgumentParser(prog="features", description="Compute features of clicks.")
    commands = parser.add_subparsers(required=True)
    for command in (apply, update, examples):
        options = commands.add_parser(command.__name__, help=command.__doc__)
        options.set_defaults(command=command)
        if command is not apply:
            options.add_argument(
                "--until",
                default=datetime.now(UTC),
                type=_time,
                help="UTC; full steps before it are computed. Default: now",
            )
    stated = vars(parser.parse_args(words))
    sys.stdout.write(json.dumps(stated.pop("command")(**stated)) + "\n")


def _time(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise argparse.ArgumentTypeError(f"got {text!r}, which states no time zone; expected ...T00:00:00Z")
    return parsed.astimezone(UTC)


def apply() -> dict[str, Any]:
    """Register entity and view. Registered again they are replaced by themselves."""
    from feast import FeatureStore

    from features.definitions import user, user_activity

    FeatureStore(repo_path=os.environ["FEATURE_REPOSITORY"]).apply([user, user_activity])
    return {"view": user_activity.name}


def update(until: datetime) -> dict[str, Any]:
    """Append the activity at each moment since the last one of the table."""
    clicks_table, table = os.environ["CLICKS_TABLE"], os.environ["ACTIVITY_TABLE"]
    # All clicks: the last ones of a user may be of any time.
    clicks = tables.read(clicks_table)
    first = tables.last(table, "event_timestamp")
    if first is None:
        begin = clicks["happened_at"].min().to_pydatetime()
        stated = activity.moments(begin, until)
        rows = activity.activity(clicks, stated)
    else:
        stated = activity.moments(first, until)
        rows = activity.activity(clicks, [first, *stated])
        rows = rows[rows["event_timestamp"] > first]
    snapshot = tables.append(table, rows)
    if file := os.environ.get("ACTIVITY_FILE"):
        tables.read(table).to_parquet(file, coerce_timestamps="us")
    return {"moments": len(stated), "rows": len(rows), "snapshot": str(snapshot)}


def examples(until: datetime) -> dict[str, Any]:
    """Append the examples of each moment since the last one of the table whose next clicks are known."""
    table = os.environ["EXAMPLES_TABLE"]
    clicks = tables.read(os.environ["CLICKS_TABLE"])
    first = tables.last(table, "moment") or clicks["happened_at"].min().to_pydatetime()
    stated = activity.moments(first, until - activity.STEP)
    rows = joined(activity.labels(clicks, stated))
    snapshot = tables.append(table, rows)
    return {"moments": len(stated), "rows": len(rows), "snapshot": str(snapshot)}


def joined(labels: pd.DataFrame) -> pd.DataFrame:
    """Return examples: the features of each user as they were at the moment; users without any have no example."""
    from feast import FeatureStore

    if labels.empty:
        return pd.DataFrame(columns=list(activity.EXAMPLES))
    store = FeatureStore(repo_path=os.environ["FEATURE_REPOSITORY"])
    names = [f"user_activity:{name}" for name in activity.FEATURES]
    entities = labels.rename(columns={"moment": "event_timestamp"})
    rows = store.get_historical_features(entity_df=entities, features=names).to_df()
    rows = rows.rename(columns={"event_timestamp": "moment"}).dropna(subset=["recent_items"])
    rows["moment"] = pd.to_datetime(rows["moment"], utc=True)
    return rows[list(activity.EXAMPLES)].astype({"clicks": "int64"}).sort_values(["moment", "user_id"])


if __name__ == "__main__":
    main()

"""The activity of users until moments, and what they clicked next. Pure: data frames of clicks to data frames
of rows.

A row depends on the last RECENT clicks of a user alone, so it stays true until the user's next click: at each
moment only users that clicked since the moment before get one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import fmean
from typing import Any, Final

import pandas as pd

RECENT: Final = 20
"""Clicks of a user that the features are of."""
STEP: Final = timedelta(hours=12)
"""Between two moments, and how long after one the clicks are that a model predicts."""
FEATURES: Final = ("recent_items", "clicks", "mean_price", "top_category", "top_share")
ACTIVITY: Final = ("user_id", "event_timestamp", *FEATURES)
EXAMPLES: Final = ("user_id", "moment", *FEATURES, "next_items")


def token(item: int) -> str:
    """Return an item as texts of items have it."""
    return f"i{item}"


def moments(first: datetime, last: datetime) -> list[datetime]:
    """Return the moments of (first, last], which are full steps of the day in UTC."""
    start = first.replace(hour=0, minute=0, second=0, microsecond=0)
    count = int((last - start) / STEP)
    return [moment for number in range(count + 1) if first < (moment := start + number * STEP) <= last]


def activity(clicks: pd.DataFrame, stated: Sequence[datetime]) -> pd.DataFrame:
    """Return the rows of moments, in order: of users with a click since the moment before; at the first
    moment of all users with one. clicks: those before the last moment, at least the last RECENT of each user
    before the first."""
    rows: list[dict[str, Any]] = []
    for user, of_user in _by_user(clicks):
        times = [click.happened_at for click in of_user]
        used = 0
        for moment in stated:
            known = bisect_left(times, pd.Timestamp(moment))
            if known > used:
                rows.append(_row(user, moment, of_user[max(known - RECENT, 0) : known]))
            used = known
    return pd.DataFrame(rows, columns=list(ACTIVITY))


def _by_user(clicks: pd.DataFrame) -> Iterator[tuple[str, list[Any]]]:
    """Yield users with their clicks, by time, as tuples: thousands of small frames would take minutes."""
    ordered = clicks.sort_values(["user_id", "happened_at", "event_id"], ignore_index=True)
    for user, rows in groupby(ordered.itertuples(index=False), key=lambda click: click.user_id):
        yield str(user), list(rows)


def _row(user: str, moment: datetime, recent: Sequence[Any]) -> dict[str, Any]:
    categories = Counter(click.category for click in recent)
    most = max(categories.values())
    return {
        "user_id": user,
        "event_timestamp": moment,
        "recent_items": " ".join(token(click.item_id) for click in recent),
        "clicks": len(recent),
        "mean_price": fmean(click.price for click in recent),
        # The first by name of several: the same clicks, the same row.
        "top_category": min(name for name, count in categories.items() if count == most),
        "top_share": most / len(recent),
    }


def labels(clicks: pd.DataFrame, stated: Sequence[datetime]) -> pd.DataFrame:
    """Return for each moment and user what the user clicked within STEP after it; users without a click have
    no row."""
    parts = []
    for moment in stated:
        inside = clicks[(clicks["happened_at"] >= moment) & (clicks["happened_at"] < moment + STEP)]
        ordered = inside.sort_values(["happened_at", "event_id"]).drop_duplicates(["user_id", "item_id"])
        items = ordered["item_id"].map(token).groupby(ordered["user_id"]).agg(" ".join)
        parts.append(pd.DataFrame({"user_id": items.index, "moment": moment, "next_items": items.to_numpy()}))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["user_id", "moment", "next_items"])
    )

"""Features at moments, and what is clicked next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from features import activity

DAY = datetime(2026, 11, 2, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)


def clicks(*rows: tuple[str, int, float]) -> pd.DataFrame:
    """Rows of user, item and hours after DAY; the price is the item."""
    return pd.DataFrame(
        [
            {
                "event_id": f"e{number}",
                "user_id": user,
                "item_id": item,
                "category": "even" if item % 2 == 0 else "odd",
                "kind": "view",
                "price": float(item),
                "happened_at": DAY + timedelta(hours=hours),
            }
            for number, (user, item, hours) in enumerate(rows)
        ]
    ).astype({"happened_at": "datetime64[us, UTC]"})


def test_moments_are_half_days_after_the_first_and_up_to_the_last() -> None:
    assert activity.moments(DAY, DAY + timedelta(hours=25)) == [NOON, DAY + timedelta(hours=24)]
    assert activity.moments(NOON - timedelta(minutes=1), NOON) == [NOON]
    assert activity.moments(NOON, NOON) == [], "the first one is known already"


def test_a_row_is_of_clicks_before_its_moment() -> None:
    rows = activity.activity(clicks(("a", 2, 1), ("a", 3, 2), ("a", 4, 13)), [NOON])
    [row] = rows.to_dict("records")
    assert row["recent_items"] == "i2 i3", "the click after the moment is not known yet"
    assert (row["clicks"], row["mean_price"]) == (2, 2.5)
    assert (row["top_category"], row["top_share"]) == ("even", 0.5), "of equal ones the first by name"


def test_only_users_that_clicked_since_the_last_moment_get_a_row() -> None:
    rows = activity.activity(clicks(("a", 1, 1), ("b", 2, 2), ("b", 3, 13)), [NOON, NOON + activity.STEP])
    assert list(zip(rows["user_id"], rows["event_timestamp"], strict=True)) == [
        ("a", NOON),
        ("b", NOON),
        ("b", NOON + activity.STEP),
    ]


def test_features_are_of_the_most_recent_clicks_alone() -> None:
    many = [("a", number, number / 10) for number in range(activity.RECENT + 5)]
    [row] = activity.activity(clicks(*many), [NOON]).to_dict("records")
    assert row["clicks"] == activity.RECENT
    assert row["recent_items"].split()[0] == "i5"


def test_labels_are_clicks_of_the_step_after_the_moment_each_item_once() -> None:
    rows = activity.labels(
        clicks(("a", 1, 11), ("a", 2, 12), ("a", 2, 13), ("a", 3, 23.9), ("a", 4, 24)), [NOON]
    )
    assert rows["next_items"].tolist() == ["i2 i3"]
    assert activity.labels(clicks(("a", 1, 1)), []).empty

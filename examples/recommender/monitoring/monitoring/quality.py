"""The quality of what was recommended: joins impressions with the clicks after them. Pure.

Only items count that the user had not clicked before: these alone are recommended, and popularity gets the
same rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

WAIT: Final = timedelta(hours=12)
"""How long after an impression a click counts."""
LEAST: Final = 200
"""Impressions of a version below which it is not evaluated."""


@dataclass(frozen=True)
class Quality:
    """Of a version. impressions: with a click of the user afterwards. hit_rate: the share of them of which a
    recommended item was clicked. popular_rate: the share that the most clicked items before the window would
    have had."""

    version: str
    impressions: int
    hit_rate: float
    popular_rate: float

    @property
    def lift(self) -> float:
        """By how much the hit rate exceeds that of popularity, in times; of a popularity without a hit as if
        it had one."""
        return self.hit_rate / max(self.popular_rate, 1 / self.impressions)


def measure(
    impressions: Iterable[Mapping[str, Any]],
    clicks: Iterable[Mapping[str, Any]],
    start: datetime,
    end: datetime,
) -> list[Quality]:
    """Return the quality of each version with impressions in [start, end), the most first. clicks: those
    before `start` are what popularity is of."""
    of_users: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    before: Counter[str] = Counter()
    for click in clicks:
        item = f"i{click['item_id']}"
        of_users[click["user_id"]].append((click["happened_at"], item))
        before[item] += click["happened_at"] < start
    # By name where counts are equal: the same clicks, the same list.
    ranked = sorted((item for item, count in before.items() if count), key=lambda item: (-before[item], item))
    hits: Counter[str] = Counter()
    popular: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for shown in impressions:
        time = shown["happened_at"]
        if not start <= time < end:
            continue
        known = {item for at, item in of_users[shown["user_id"]] if at < time}
        clicked = {item for at, item in of_users[shown["user_id"]] if time <= at < time + WAIT} - known
        if clicked:
            items, version = shown["items"].split(), shown["version"]
            best = islice((item for item in ranked if item not in known), len(items))
            counts[version] += 1
            hits[version] += bool(clicked & set(items))
            popular[version] += bool(clicked & set(best))
    return [
        Quality(version, count, hits[version] / count, popular[version] / count)
        for version, count in counts.most_common()
    ]

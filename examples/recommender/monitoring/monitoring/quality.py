"""The quality of what was recommended: joins impressions with the clicks after them. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
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
        if click["happened_at"] < start:
            before[item] += 1
        else:
            of_users[click["user_id"]].append((click["happened_at"], item))
    # By number where counts are equal: the same clicks, the same list.
    ranked = [item for item, _ in sorted(before.items(), key=lambda entry: (-entry[1], entry[0]))]
    hits: Counter[str] = Counter()
    popular: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for shown in impressions:
        if not start <= shown["happened_at"] < end:
            continue
        until = shown["happened_at"] + WAIT
        clicked = {item for time, item in of_users[shown["user_id"]] if shown["happened_at"] <= time < until}
        if clicked:
            items, version = shown["items"].split(), shown["version"]
            counts[version] += 1
            hits[version] += bool(clicked & set(items))
            popular[version] += bool(clicked & set(ranked[: len(items)]))
    return [
        Quality(version, count, hits[version] / count, popular[version] / count)
        for version, count in counts.most_common()
    ]

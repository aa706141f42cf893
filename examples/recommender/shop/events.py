"""Clicks of users with latent tastes on items with latent styles and a popularity. The same seed, the same
clicks.

A user prefers two categories, and within them items whose style is near to their taste. Popularity has a long
tail. `shift` moves the tastes of users to other categories, as a season does: from that day on, what a model
has learned of categories and what they click next is less true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
CATEGORIES: Final = ("books", "camping", "cooking", "garden", "music", "office", "running", "toys")
KINDS: Final = ("view", "cart", "purchase")
_SHARES: Final = (0.8, 0.14, 0.06)
FIRST_DAY: Final = datetime(2026, 11, 2, tzinfo=UTC)
"""The day 0 by default."""


@dataclass(frozen=True)
class Shop:
    """Users and items. taste_strength: by how much a taste outweighs popularity; 0: only popularity
    counts."""

    seed: int = 20
    users: int = 2000
    items: int = 400
    styles: int = 6
    taste_strength: float = 2.2
    first_day: datetime = FIRST_DAY

    def clicks(self, day: int, count: int, shift: float = 0.0) -> list[dict[str, Any]]:
        """Return the clicks of a day, by their time. day: after the first one. shift: the share of users
        whose taste is another one, 0 to 1; they are the same ones for the same share."""
        if not 0 <= shift <= 1:
            raise ValueError(f"shift: got {shift:g}; expected 0 to 1")
        random = np.random.default_rng([self.seed, 1, day])
        chances = self._chances(shift)
        # Some users click much more than others.
        activity = np.random.default_rng([self.seed, 2]).gamma(1.5, size=self.users)
        users = np.sort(random.choice(self.users, size=count, p=activity / activity.sum()))
        totals = chances.cumsum(axis=1)
        draws = random.random(count) * totals[users, -1]
        items = np.array(
            [np.searchsorted(totals[user], draw) for user, draw in zip(users, draws, strict=True)]
        )
        seconds = random.integers(86_400, size=count)
        kinds = random.choice(len(KINDS), size=count, p=_SHARES)
        prices = self.prices
        begin = self.first_day + timedelta(days=day)
        return [
            {
                "event_id": f"d{day:03d}-{number:06d}",
                "user_id": f"u{users[place]:05d}",
                "item_id": int(items[place]),
                "category": self.category(int(items[place])),
                "kind": KINDS[kinds[place]],
                "price": round(float(prices[items[place]]), 2),
                "happened_at": (begin + timedelta(seconds=int(seconds[place]))).isoformat(),
            }
            for number, place in enumerate(np.argsort(seconds, kind="stable"))
        ]

    def days(self, first: int, days: int, count: int, shift: float = 0.0) -> Iterator[Mapping[str, Any]]:
        """Yield about `count` clicks of days, the same number each day, the rest on the first one."""
        for day in range(first, first + days):
            rest = count % days if day == first else 0
            yield from self.clicks(day, count // days + rest, shift)

    def category(self, item: int) -> str:
        """Return the category of an item."""
        return CATEGORIES[item % len(CATEGORIES)]

    @property
    def prices(self) -> Numbers:
        """The price of each item; categories differ."""
        random = np.random.default_rng([self.seed, 3])
        typical = random.uniform(10, 120, len(CATEGORIES))
        return typical[np.arange(self.items) % len(CATEGORIES)] * random.lognormal(0, 0.25, self.items)

    def _chances(self, shift: float) -> Numbers:
        """Return what each user clicks how often: users x items, not normalized."""
        random = np.random.default_rng([self.seed, 4])
        popularity = random.permutation(1 / np.arange(5, self.items + 5) ** 0.8)
        styles = random.normal(size=(self.items, self.styles)) / np.sqrt(self.styles)
        tastes = random.normal(size=(self.users, self.styles)) * 0.7
        preferred = np.stack([random.permutation(len(CATEGORIES))[:2] for _ in range(self.users)])
        moved = random.permutation(self.users) < round(shift * self.users)
        # To the next category, and to other styles in it: a model that knows the old pairs ranks them
        # wrongly.
        preferred[moved] = (preferred[moved] % 2) + 6
        tastes[moved] = -tastes[moved]
        of_item = np.arange(self.items) % len(CATEGORIES)
        likes = (of_item[None, :, None] == preferred[:, None, :]).any(axis=2)
        return popularity * np.exp(self.taste_strength * (likes + tastes @ styles.T))

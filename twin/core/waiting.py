"""How often to look while the cloud works."""

from __future__ import annotations

from collections.abc import Iterator


def growing_pauses() -> Iterator[float]:
    """Seconds between polls: quick answers are met quickly, slow ones are not hammered."""
    seconds = 0.1
    while True:
        yield seconds
        seconds = min(seconds * 1.5, 2.0)

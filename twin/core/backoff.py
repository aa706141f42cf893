"""How often to look while the cloud works."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from twin.provider_interface import waited


def growing_pauses() -> Iterator[float]:
    """Seconds between polls: quick answers are met quickly, slow ones are not hammered."""
    seconds = 0.1
    while True:
        yield seconds
        seconds = min(seconds * 1.5, 2.0)


@contextlib.contextmanager
def logged_waits(action: str, urn: str) -> Iterator[None]:
    """Log how many seconds of a call the cloud took, where it took any; the rest was work of this machine."""
    before = waited()
    try:
        yield
    finally:
        if seconds := waited() - before:
            logging.getLogger(__name__).info("waited %.2f s to %s %s", seconds, action, urn)

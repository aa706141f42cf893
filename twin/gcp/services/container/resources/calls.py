"""GKE takes one operation of a cluster at a time: calls that it refuses for that are made again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.provider_interface import Props, pause

_PASSING: Final = ("incompatible operation", "concurrent operations", "currently being", "is not ready")


def insisting(context: GcpContext, minutes: float, call: Callable[[], Props]) -> Props:
    """The answer of a call, made again while the cluster is busy (retryWhileIncompatibleOperation)."""
    deadline = time.monotonic() + (context.timeout or minutes * 60)
    while True:
        try:
            return call()
        except Refusal as error:
            passing = any(words in error.message.lower() for words in _PASSING)
            if not passing or time.monotonic() > deadline:
                raise
        pause(0.5)

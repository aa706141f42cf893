"""Wait for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(what: str, probe: Callable[[], T | None], seconds: float = 60) -> T:
    """Return the first answer of a probe that is neither None nor False; the error names `what` failed."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = probe()
        except Exception as error:  # noqa: BLE001 - the last one is in the error
            last = error
        else:
            if answer is not None and answer is not False:
                return answer
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {seconds} s" + (f" (last error: {last})" if last else ""))

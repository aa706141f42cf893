"""How fast the twin's long delays run.

Everything that a real cluster waits minutes for (the autoscaler's `--scale-down-unneeded-time=10m`, its
back-off after a failed scale-up, the grace that EKS gives an add-on) is written here in real durations and
divided by the factor in `AIPLATFORM_TWIN_CLOCK`. 10 is the default: ten minutes take one. 1 is real time.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

VARIABLE = "AIPLATFORM_TWIN_CLOCK"
DEFAULT = 10.0
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|m|s|us|ns)")


def factor() -> float:
    """The factor that the environment asks for. `ValueError` for what is no positive number."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return DEFAULT
    try:
        chosen = float(text)
    except ValueError:
        chosen = 0.0
    if not 0 < chosen < 1e6:
        raise ValueError(f"{VARIABLE}={text!r}: a number above 0 is wanted, as 10 (ten times as fast) or 1")
    return chosen


def timestamp(seconds: float | None = None) -> str:
    """A time of the API, to the second. seconds: of the epoch; now by default."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Interval:
    """Something that is done from time to time. seconds: real ones between two times."""

    seconds: float
    _last: float = field(default=float("-inf"))

    def due(self) -> bool:
        """Whether it is time again, from which the next interval counts."""
        now = time.monotonic()
        is_due = now - self._last >= self.seconds
        self._last = now if is_due else self._last
        return is_due


@dataclass
class Clock:
    """Seconds of the twin since the process began."""

    factor: float = field(default_factory=factor)

    def now(self) -> float:
        """A monotonic time in the twin's seconds."""
        return time.monotonic() * self.factor


def seconds(duration: str) -> float:
    """A Go duration (`10m`, `1h30m`, `90s`, `500ms`) in seconds; `ValueError` for anything else."""
    text = duration.strip()
    if text in {"0", "+0", "-0"}:
        return 0.0
    if not text:
        raise ValueError("an empty duration; write it as 10m or 90s")
    if not re.fullmatch(f"({_PART.pattern})+", text):
        raise ValueError(f"{duration!r} is no duration; write it as 10m, 90s or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))

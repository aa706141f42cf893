"""How much an environment is used: by default of its profile, and as its file states (`ai-platform:cost`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from cli.output import CommandError

TOPIC: Final = "ai-platform:cost"
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("usage.toml").read_text()
)


@dataclass(frozen=True)
class Usage:
    """The expected use of an environment."""

    profile: str
    hours: Mapping[str, float] = field(default_factory=dict[str, float])
    """Pool -> hours a month in which all its nodes run, beyond its minimum."""
    units: Mapping[str, float] = field(default_factory=dict[str, float])
    """Key of a price -> units a month of each resource that is paid by it."""

    def of_pool(self, pool: str, *, accelerator: bool) -> float:
        """Return the hours of a pool."""
        default = _DEFAULTS[self.profile]["hours"]["accelerator" if accelerator else "cpu"]
        return float(self.hours.get(pool, default))


def max_price_age_days(profile: str) -> int:
    """Return the days after which a price is reported as old."""
    return int(_DEFAULTS[profile]["max_price_age_days"])


def of_file(profile: str, topic: Any, where: str) -> Usage:
    """Return the use that the topic of an environment file states. Raises CommandError for a wrong shape.

    The program validates the topic in each preview; this also refuses what it would report there.
    """
    if profile not in _DEFAULTS:
        raise CommandError(f"{where}: profile: got {profile!r}; expected one of {', '.join(_DEFAULTS)}")
    if topic is None:
        return Usage(profile)
    keys: dict[str, Mapping[str, float]] = {}
    for key in ("hours", "usage"):
        value = cast("Mapping[str, Any]", topic).get(key, {}) if isinstance(topic, Mapping) else None
        if not isinstance(value, Mapping) or not all(
            isinstance(number, int | float) and number >= 0
            for number in cast("Mapping[str, Any]", value).values()
        ):
            raise CommandError(f"{where}: {TOPIC}.{key}: expected an object of numbers that are not negative")
        keys[key] = {str(name): float(number) for name, number in cast("Mapping[str, Any]", value).items()}
    return Usage(profile, keys["hours"], keys["usage"])

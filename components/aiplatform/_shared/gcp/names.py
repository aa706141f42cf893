"""What the Google Cloud implementations share: rules for projects and places."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiplatform._shared.args import Rule, matches

PROJECT: Final = matches(
    r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
    "a project's id: 6 to 30 lower-case letters, digits and hyphens, a letter first, no hyphen last",
)
REGION: Final = matches(r"[a-z]+-[a-z]+\d+", "a region such as europe-west4")

_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-(ai\d+)?[a-z]")

# Nearly every region has a, b and c ("Regions and zones").
_ZONES: Final[Mapping[str, str]] = {"europe-west1": "bcd", "us-east1": "bcd", "us-central1": "abcf"}


def zones_of(region: str) -> Rule:
    """A rule: a zone of this region by its name (`europe-west4-a`)."""

    def rule(value: Any) -> str | None:
        found = _ZONE.fullmatch(value)
        if found is None or found.group(1) != region:
            return f"expected a zone of {region} such as {first_zones(region, 1)[0]}"
        return None

    return rule


def first_zones(region: str, count: int) -> list[str]:
    """The names of a region's first zones. From a table, not from Compute Engine: in a new project nobody can
    ask it before the program itself has switched its API on."""
    return [f"{region}-{letter}" for letter in _ZONES.get(region, "abc")[:count]]


def is_zone(location: str) -> bool:
    """Whether a location is a zone, and not a region."""
    return _ZONE.fullmatch(location) is not None


_API_OFF: Final = ("SERVICE_DISABLED", "has not been used in project", "it is disabled")


def api_is_off(error: Exception) -> bool:
    """Whether Google refused a call because the project has not switched the service on (yet)."""
    return any(words in str(error) for words in _API_OFF)

"""Rules for projects, regions and zones of Google Cloud."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiplatform._shared.args import Rule, matches

PROJECT: Final = matches(
    r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
    "a project's id: 6 to 30 lower-case letters, digits and hyphens, a letter first, no hyphen last",
)
REGION: Final = matches(r"[a-z]+-[a-z]+\d+", "a region such as europe-west4")
# Cloud Logging API, projects.locations.buckets.create: bucketId. No sink writes to the bucket `_Required`.
LOG_BUCKET: Final = matches(
    r"projects/[^/\s]+/locations/[a-z0-9-]+/buckets/([A-Za-z0-9][A-Za-z0-9_.-]{0,99}|_Default)",
    "a log bucket, projects/PROJECT/locations/LOCATION/buckets/BUCKET",
)

_ZONE = re.compile(r"([a-z]+-[a-z]+\d+)-(ai\d+)?[a-z]")

# Nearly every region has a, b and c ("Regions and zones").
_ZONES: Final[Mapping[str, str]] = {"europe-west1": "bcd", "us-east1": "bcd", "us-central1": "abcf"}


def zones_of(region: str) -> Rule:
    """Return a rule: a zone of this region by its name (`europe-west4-a`)."""

    def rule(value: Any) -> str | None:
        match = _ZONE.fullmatch(value)
        if match is None or match.group(1) != region:
            return f"expected a zone of {region} such as {first_zones(region, 1)[0]}"
        return None

    return rule


def first_zones(region: str, count: int) -> list[str]:
    """Return the names of a region's first zones. They come from a table, because in a new project Compute
    Engine's API is not enabled before the program runs."""
    return [f"{region}-{letter}" for letter in _ZONES.get(region, "abc")[:count]]


def is_zone(location: str) -> bool:
    """Return whether a location is a zone, and not a region."""
    return _ZONE.fullmatch(location) is not None


_API_OFF: Final = ("SERVICE_DISABLED", "has not been used in project", "it is disabled")


def api_is_off(error: Exception) -> bool:
    """Return whether Google refused a call because the service is not enabled in the project."""
    return any(words in str(error) for words in _API_OFF)

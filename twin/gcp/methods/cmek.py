"""Customer-managed keys as services take them: in the right place, usable, and granted to their agent."""

from __future__ import annotations

import re
from typing import Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.services.cloudkms.operations import check_granted

_KEY: Final = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")
_PLACES: Final = {"eu": "europe"}
"""Multi-regions that KMS calls otherwise. Source: "Cloud KMS locations"."""


def key_place(location: str) -> str:
    """Where a key must be for data at that location: `europe` for EU."""
    return _PLACES.get(location.lower(), location.lower())


def check_key(call: Call, key: str | None, location: str, agent: str, what: str) -> None:
    """A key, if there is one, can encrypt data of that location for a service agent. Raises 400 or 403.

    location: of the data (`us-central1`, `EU`). agent: its e-mail address, or the domain of service-NUMBER
    (`gcp-sa-bigtable`). what: the resource in messages.
    """
    if not key:
        return
    match = _KEY.fullmatch(key)
    if not match:
        raise invalid(
            f"Invalid KMS key name '{key}': projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY "
            "is right."
        )
    if match[1] != key_place(location):
        raise invalid(
            f"The location of the Cloud KMS key '{key}' ({match[1]}) must be that of the {what}, "
            f"'{key_place(location)}'."
        )
    if "@" not in agent:
        agent = f"service-{call.project_number}@{agent}.iam.gserviceaccount.com"
    check_granted(call, key, agent)

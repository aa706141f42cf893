"""GKE: the fields of a cluster that functions convert, and what functions demand of its properties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from twin.gcp.resources.fields import Field
from twin.gcp.resources.validators import Validator, or_empty
from twin.gcp.services.container.resources import nodes
from twin.gcp.services.container.resources.pools import AUTOSCALING

FIELDS: Final[Mapping[str, Field]] = {
    "clusterAutoscaling.autoProvisioningDefaults.oauthScopes": Field(encode=nodes.scope),
    "nodePools.autoscaling": AUTOSCALING,
    **nodes.fields("nodeConfig"),
    **nodes.fields("nodePools.nodeConfig"),
}


def _name(name: str, value: Any) -> str:
    text = str(value)
    if len(text) > 40:
        return f'"{name}" ("{text}") cannot be longer than 40 characters'
    if not re.fullmatch(r"[a-z0-9-]+", text):
        return f'"{name}" ("{text}") can only contain lowercase letters, numbers and hyphens'
    if not re.match(r"[a-z]", text):
        return f'"{name}" ("{text}") must start with a letter'
    return "" if re.search(r"[a-z0-9]$", text) else f'"{name}" ("{text}") must end with a number or a letter'


def _time(name: str, value: Any) -> str:
    good = re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(value))
    return "" if good else f'"{name}" ("{value}") must be in the format HH:mm (RFC3339)'


def _date(name: str, value: Any) -> str:
    try:
        at = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        at = None
    good = at is not None and at.tzinfo is not None and "T" in str(value)
    return "" if good else f'"{name}" ("{value}") must be a date as 2026-01-01T00:00:00Z (RFC3339)'


def _version(name: str, value: Any) -> str:
    return "" if re.fullmatch(r"\d+\.\d+", str(value)) else f"{name} must be in major.minor format"


VALIDATORS: Final[Mapping[str, Validator]] = {
    "name": _name,
    "maintenancePolicy.dailyMaintenanceWindow.startTime": _time,
    "maintenancePolicy.recurringWindow.startTime": _date,
    "maintenancePolicy.recurringWindow.endTime": _date,
    "maintenancePolicy.maintenanceExclusions.startTime": _date,
    "maintenancePolicy.maintenanceExclusions.endTime": or_empty(_date),
    "desiredEmulatedVersion": _version,
}

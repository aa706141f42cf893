"""Cloud Monitoring: alert policies. None of them is evaluated."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

from twin.gcp.call import Call
from twin.gcp.errors import invalid
from twin.gcp.services import generic, handles
from twin.gcp.state import Body

_POLICIES: Final = "monitoring.projects.alertPolicies"
_MUTABLE: Final = frozenset(
    {
        "alertStrategy",
        "combiner",
        "conditions",
        "displayName",
        "documentation",
        "enabled",
        "notificationChannels",
        "severity",
        "userLabels",
    }
)
_CHANNEL: Final = re.compile(r"projects/[^/]+/notificationChannels/\d+")
_DURATION: Final = re.compile(r"(\d+)s")
_MOST_CONDITIONS: Final = 6


@handles(f"{_POLICIES}.create")
def create(call: Call) -> dict[str, Any]:
    """A policy; Cloud Monitoring makes its name."""
    parent = call.parameters["name"]
    number = zlib.crc32(f"{parent}{call.body.get('displayName')}{call.timestamp}".encode())
    name = f"{parent}/alertPolicies/{number:d}"
    policy: Body = {"enabled": True, **call.body, "name": name}
    for position, condition in enumerate(policy.get("conditions") or []):
        condition["name"] = f"{name}/conditions/{position + 1}"
    _check(policy)
    return call.state.put(f"monitoring/{name}", policy)


@handles(f"{_POLICIES}.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a policy."""
    name = call.parameters["name"]
    before = call.need(f"monitoring/{name}", generic.missing(call))
    policy = generic.masked(call, before, _MUTABLE)
    for position, condition in enumerate(policy.get("conditions") or []):
        condition.setdefault("name", f"{name}/conditions/{position + 1}")
    _check(policy)
    return call.state.put(f"monitoring/{name}", policy)


@handles(f"{_POLICIES}.delete")
def delete(call: Call) -> dict[str, Any]:
    """A policy ends at once."""
    name = call.parameters["name"]
    call.need(f"monitoring/{name}", generic.missing(call))
    call.state.delete(f"monitoring/{name}")
    return {}


def _check(policy: Body) -> None:
    conditions = policy.get("conditions") or []
    if not policy.get("displayName") or not policy.get("combiner"):
        raise invalid("Field alert_policy.display_name and alert_policy.combiner must be set.")
    if not 1 <= len(conditions) <= _MOST_CONDITIONS:
        raise invalid(f"Field alert_policy.conditions must have 1 to 6 entries, got {len(conditions)}.")
    for condition in conditions:
        _check_promql(condition.get("conditionPrometheusQueryLanguage"))
    for channel in policy.get("notificationChannels") or []:
        if not _CHANNEL.fullmatch(channel):
            raise invalid(
                f"Field alert_policy.notification_channels: '{channel}' is no notification channel."
            )


def _check_promql(condition: Any) -> None:
    if condition is None:
        return
    if not condition.get("query"):
        raise invalid("The query of a PromQL condition must not be empty.")
    interval = _DURATION.fullmatch(str(condition.get("evaluationInterval") or "30s"))
    if interval is None or not int(interval[1]) or int(interval[1]) % 30:
        raise invalid("evaluation_interval must be a positive multiple of 30 seconds.")

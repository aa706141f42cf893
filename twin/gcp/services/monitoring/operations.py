"""Cloud Monitoring: alert policies, of which none is evaluated, and channels of notifications."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles

_CHANNELS: Final = "monitoring.projects.notificationChannels"
_POLICIES: Final = "monitoring.projects.alertPolicies"
_MUTABLE: Final[frozenset[str]] = frozenset(services.tables("monitoring")["mutable"])
_OF_CHANNEL: Final = frozenset({"description", "displayName", "enabled", "labels", "type", "userLabels"})
_CHANNEL: Final = re.compile(r"projects/[^/]+/notificationChannels/\d+")
_DURATION: Final = re.compile(r"(\d+)s")
_MOST_CONDITIONS: Final = 6


@handles(f"{_CHANNELS}.create")
def create_channel(call: Call) -> dict[str, Any]:
    """A channel; Cloud Monitoring makes its name."""
    parent = call.parameters["name"]
    number = zlib.crc32(f"{parent}{call.body.get('labels')}{call.timestamp}".encode())
    name = f"{parent}/notificationChannels/{number:d}"
    return call.state.put(f"monitoring/{name}", _channel({"enabled": True, **call.body, "name": name}))


@handles(f"{_CHANNELS}.patch")
def patch_channel(call: Call) -> dict[str, Any]:
    """What can change of a channel."""
    name = call.parameters["name"]
    before = call.need(f"monitoring/{name}", generic.missing(call))
    changed = generic.masked(call, before, _OF_CHANNEL)
    return call.state.put(f"monitoring/{name}", _channel(changed))


@handles(f"{_CHANNELS}.delete")
def delete_channel(call: Call) -> dict[str, Any]:
    """A channel that no policy and no budget names ends at once."""
    name = call.parameters["name"]
    call.need(f"monitoring/{name}", generic.missing(call))
    call.state.delete(f"monitoring/{name}")
    return {}


def _channel(channel: Body) -> Body:
    if channel.get("type") == "email" and "@" not in (channel.get("labels") or {}).get("email_address", ""):
        raise invalid("Field notification_channel.labels['email_address'] must be an email address.")
    if not channel.get("type"):
        raise invalid("Field notification_channel.type must be set.")
    return channel


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

"""Cloud Monitoring: alert policies, of which none is evaluated, and channels of notifications."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.rules import seconds
from twin.gcp.methods.standard_methods import serve

_LONGEST_ABSENCE: Final = 84_600


def _check(_: Call, policy: Body) -> None:
    for position, condition in enumerate(policy["conditions"]):
        condition.setdefault("name", f"{policy['name']}/conditions/{position + 1}")
        _check_promql(condition.get("conditionPrometheusQueryLanguage"))
        for kind in ("conditionThreshold", "conditionAbsent"):
            if kind in condition:
                _check_duration(condition[kind], kind)


def _check_duration(condition: Body, kind: str) -> None:
    duration = seconds(condition.get("duration") or "0s")
    if duration % 60:
        raise invalid(f"Field {kind}.duration must be a multiple of one minute, got {duration:g}s.")
    if kind == "conditionAbsent" and not 120 <= duration <= _LONGEST_ABSENCE:
        raise invalid(f"Field {kind}.duration must be from 120 to {_LONGEST_ABSENCE} seconds.")


def _check_promql(condition: Any) -> None:
    if condition is None:
        return
    if not condition.get("query"):
        raise invalid("The query of a PromQL condition must not be empty.")
    interval = seconds(condition.get("evaluationInterval") or "30s")
    if not interval or interval % 30:
        raise invalid("evaluation_interval must be a positive multiple of 30 seconds.")


serve("monitoring.projects.notificationChannels")
serve("monitoring.projects.alertPolicies", check=_check)

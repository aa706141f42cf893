"""Cloud Monitoring: alert policies, of which none is evaluated, and channels of notifications."""

from __future__ import annotations

from typing import Any

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.rules import seconds
from twin.gcp.methods.standard_methods import serve


def _check(_: Call, policy: Body) -> None:
    for position, condition in enumerate(policy["conditions"]):
        condition.setdefault("name", f"{policy['name']}/conditions/{position + 1}")
        _check_promql(condition.get("conditionPrometheusQueryLanguage"))


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

"""Workspaces of Prometheus and alarms through the API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make, refused

WORKSPACE = "aws:amp/workspace:Workspace"
CONFIGURATION = "aws:amp/workspaceConfiguration:WorkspaceConfiguration"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
INPUTS: dict[str, Any] = {
    "name": "metrics-missing",
    "namespace": "AWS/Usage",
    "metricName": "ResourceCount",
    "dimensions": {"Service": "Prometheus", "Type": "Resource"},
    "statistic": "Maximum",
    "period": 300,
    "evaluationPeriods": 2,
    "comparisonOperator": "LessThanOrEqualToThreshold",
    "threshold": 0,
    "treatMissingData": "breaching",
}


def test_a_workspace_is_created_configured_changed_and_deleted(clients: Clients) -> None:
    context = clients.context()
    workspace = make(context, WORKSPACE, alias="acme-metrics", tags={"team": "a"})
    assert workspace.outputs["arn"].endswith(f":workspace/{workspace.id}")
    assert workspace.outputs["prometheusEndpoint"].endswith(f"/workspaces/{workspace.id}/")
    assert workspace.outputs["tags"] == {"team": "a"}
    configuration = make(context, CONFIGURATION, workspaceId=workspace.id, retentionPeriodInDays=400)
    assert configuration.update(retentionPeriodInDays=500)["retentionPeriodInDays"] == 500
    assert workspace.update(alias="other")["alias"] == "other"
    configuration.delete()
    workspace.delete()
    assert workspace.read() is None


def test_an_alarm_is_created_changed_and_deleted(clients: Clients) -> None:
    context = clients.context()
    topic = f"arn:aws:sns:us-west-2:{context.account}:platform"
    alarm = make(context, ALARM, **INPUTS, alarmActions=[topic], tags={"team": "a"})
    assert alarm.outputs["dimensions"] == INPUTS["dimensions"]
    assert (alarm.read() or {})["treatMissingData"] == "breaching"
    changed = alarm.update(evaluationPeriods=3)
    assert (changed["evaluationPeriods"], changed["tags"]) == (3, {"team": "a"})
    alarm.delete()
    assert alarm.read() is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"period": 90}, "period"),
        ({"evaluationPeriods": 300}, "evaluationPeriods"),
        ({"treatMissingData": "bad"}, "treatMissingData"),
        ({"statistic": "p99"}, "statistic"),
        ({"metricName": None}, "metricName"),
    ],
)
def test_an_alarm_that_cloudwatch_refuses_is_refused(
    clients: Clients, change: dict[str, Any], path: str
) -> None:
    inputs = {name: value for name, value in {**INPUTS, **change}.items() if value is not None}
    assert path in refused(clients.context(), ALARM, **inputs)

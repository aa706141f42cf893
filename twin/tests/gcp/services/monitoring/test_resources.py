"""Alert policies of Cloud Monitoring, against an API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT
from twin.tests.gcp.resources.life import make

SERVICE = "gcp:projects/service:Service"
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
PROMQL: dict[str, Any] = {
    "query": 'absent(up{job="prometheus"})',
    "duration": "600s",
    "evaluationInterval": "60s",
    "disableMetricValidation": True,
}
INPUTS: dict[str, Any] = {
    "displayName": "no metrics",
    "combiner": "OR",
    "conditions": [{"displayName": "stopped", "conditionPrometheusQueryLanguage": PROMQL}],
    "severity": "CRITICAL",
}


@pytest.fixture
def monitored(gcp: GcpContext) -> GcpContext:
    make(gcp, SERVICE, service="monitoring.googleapis.com")
    return gcp


def test_an_alert_policy_is_created_changed_and_deleted(monitored: GcpContext) -> None:
    policy = make(monitored, POLICY, **INPUTS)
    assert policy.id.startswith(f"projects/{PROJECT}/alertPolicies/")
    assert policy.outputs["name"] == policy.id
    (condition,) = policy.outputs["conditions"]
    assert condition["conditionPrometheusQueryLanguage"]["duration"] == "600s"
    # Channels are made by hand, apart from the program: the twin accepts any.
    channel = f"projects/{PROJECT}/notificationChannels/1234"
    assert policy.update(notificationChannels=[channel])["notificationChannels"] == [channel]
    policy.delete()
    assert policy.read() is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"notificationChannels": ["ops@acme.example"]}, "no notification channel"),
        (
            {
                "conditions": [
                    {
                        "displayName": "stopped",
                        "conditionPrometheusQueryLanguage": {**PROMQL, "evaluationInterval": "45s"},
                    }
                ]
            },
            "multiple of 30 seconds",
        ),
    ],
)
def test_what_cloud_monitoring_refuses_is_refused(
    monitored: GcpContext, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(CloudError, match=words):
        make(monitored, POLICY, **{**INPUTS, **change})

"""The clouds' alarms for metrics of a cluster that stay away, evaluated by the rules of each cloud."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.addons.catalog import catalog
from aiplatform.observability import Observability
from tests.components.aiplatform.observability.rules import promtool
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, REGION, record, value

TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:platform"
CHANNEL: Final = "projects/acme-dev-123/notificationChannels/1234567890"
WORKSPACE: Final = "ws-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
GKE: Final[Any] = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-123.svc.id.goog"}
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
POLICY: Final = "gcp:monitoring/alertPolicy:AlertPolicy"


def alarm_of(type_: str, cluster: Any, minutes: int, notify: str, **more: Any) -> Mapping[str, Any]:
    """Return the inputs of the alarm of a cluster."""
    arguments: Any = {
        "prefix": "acme-dev",
        "cluster": cluster,
        "addons": {name: catalog()[name].version for name in ("cert-manager", "external-secrets")},
        "long_term_storage": {"alarm": {"notify": [notify], "minutes": minutes}, **more},
    }
    return record(lambda: Observability("observability", arguments)).one(type_).inputs


def state(alarm: Mapping[str, Any], points: Sequence[float | None]) -> str:
    """Return the state of an alarm by CloudWatch's rules, without data that arrives late ("Configuring how
    CloudWatch alarms treat missing data"). points: of the periods, the oldest first; None where one has no
    data."""
    recent = list(points)[-int(alarm["evaluationPeriods"]) :]
    assert alarm["comparisonOperator"] == "LessThanOrEqualToThreshold"
    treated = {"breaching": True, "notBreaching": False}[alarm["treatMissingData"]]
    breaching = [treated if point is None else point <= alarm["threshold"] for point in recent]
    return "ALARM" if sum(breaching) >= alarm.get("datapointsToAlarm", len(recent)) else "OK"


@pytest.mark.parametrize(("minutes", "periods"), [(5, 1), (10, 2), (12, 3), (60, 12)])
def test_an_alarm_outside_of_the_cluster_is_raised_once_no_metrics_arrive(minutes: int, periods: int) -> None:
    alarm = alarm_of(ALARM, CLUSTER, minutes, TOPIC)
    assert (alarm["period"], alarm["evaluationPeriods"]) == (300, periods)
    arriving = [25_000.0] * 20
    assert state(alarm, arriving) == "OK"
    assert state(alarm, [*arriving, *[None] * periods]) == "ALARM", "without metrics there is no data"
    assert state(alarm, [*arriving, *[0.0] * periods]) == "ALARM"
    assert state(alarm, [*arriving, *[None] * periods, 25_000.0]) == "OK", "it ends with the first samples"
    if periods > 1:
        assert state(alarm, [*arriving, *[None] * (periods - 1)]) == "OK", "Prometheus may restart"
    assert alarm["alarmActions"] == alarm["okActions"] == [TOPIC]
    assert alarm.get("actionsEnabled", True) is True


def test_the_alarm_reads_the_rate_of_ingestion_of_the_workspace() -> None:
    alarm = alarm_of(ALARM, CLUSTER, 10, TOPIC, workspace_id=WORKSPACE)
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Usage", "ResourceCount")
    assert {name: value(entry) for name, entry in alarm["dimensions"].items()} == {
        "Type": "Resource",
        "Service": "Prometheus",
        "Resource": "IngestionRate",
        "ResourceId": WORKSPACE,
        "Class": "None",
    }, "with one dimension less CloudWatch has no such metric, and the alarm would always be raised"


@pytest.mark.parametrize("minutes", [5, 10])
def test_the_alert_policy_of_google_cloud_fires_on_absence_alone(minutes: int, tmp_path: Path) -> None:
    policy = alarm_of(POLICY, GKE, minutes, CHANNEL)
    assert policy["notificationChannels"] == [CHANNEL]
    (condition,) = policy["conditions"]
    promql = condition["conditionPrometheusQueryLanguage"]
    assert promql["duration"] == f"{minutes * 60}s"
    assert promql["disableMetricValidation"] is True, "the metric does not exist yet"
    _in_promtool(tmp_path, value(promql["query"]), promql["duration"], minutes)


def _in_promtool(folder: Path, query: str, duration: str, minutes: int) -> None:
    """Evaluate the condition as a rule of Prometheus, whose semantics it has ("Alerting policies with
    PromQL", Google Cloud)."""
    labels = f'cluster="{GKE["name"]}", job="kube-prometheus-stack-prometheus"'
    rule = {"alert": "Missing", "expr": query, "for": duration}
    (folder / "rules.json").write_text(json.dumps({"groups": [{"name": "alarm", "rules": [rule]}]}))
    fires = [{"exp_labels": {"cluster": GKE["name"], "job": "kube-prometheus-stack-prometheus"}}]
    cases = {
        "metrics arrive": ("1x60", []),
        "Prometheus stopped after 20 minutes": ("1x20", fires),
        "it was away for some minutes": (f"1x20 _x{minutes - 1} 1x40", []),
        "it does not answer, and another series of it is there": ("0x60", []),
    }
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [
                {"series": f"up{{{labels}}}", "values": values},
                {"series": 'up{cluster="another", job="kube-prometheus-stack-prometheus"}', "values": "1x60"},
            ],
            "alert_rule_test": [{"eval_time": "50m", "alertname": "Missing", "exp_alerts": expected}],
        }
        for name, (values, expected) in cases.items()
    ]
    path = folder / "tests.json"
    path.write_text(json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": tests}))
    promtool.run(promtool.find(), "test", "rules", path)

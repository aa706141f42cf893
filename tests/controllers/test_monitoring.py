"""The program's rules and notifications in the real Prometheus and Alertmanager: from an error at its source,
which an exporter serves, to the receiver that is meant."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from aiplatform.observability import rules
from aiplatform.observability.notifications import Notifications, Receiver, Route, Webhook
from tests.components.aiplatform.observability import environments
from tests.components.aiplatform.observability.rules import promtool
from tests.components.aiplatform.observability.rules.test_alerts import NAMES, RUNBOOKS
from tests.controllers.monitoring import Monitoring, monitoring, routes_of
from twin.tests.waiting import eventually
from twin.toolchain import build

NOTIFICATIONS: Final = Notifications(
    receivers=[
        Receiver("heartbeat", webhook=Webhook("acme/heartbeat")),
        Receiver("on-call", webhook=Webhook("acme/on-call")),
        Receiver("team", webhook=Webhook("acme/team")),
        Receiver("ml", webhook=Webhook("acme/ml"), owners=["ml"]),
    ],
    default="team",
    routes=[Route("on-call", severities=["critical"])],
    heartbeat="heartbeat",
)
XID: Final = (
    'DCGM_FI_DEV_XID_ERRORS{{gpu="3",UUID="GPU-1",modelName="H100",Hostname="n1",err_code="{code}",'
    'err_msg="{code}"}} {code}\n'
)
EVICTED: Final = (
    'kueue_evicted_workloads_total{{cluster_queue="training",reason="PodsReadyTimeout",underlying_cause="",'
    'priority_class="",replica_role="leader"}} {count}\n'
)
WAIT: Final = (
    "# TYPE kueue_admission_wait_time_seconds histogram\n"
    'kueue_admission_wait_time_seconds_bucket{{cluster_queue="training",le="640"}} {fast}\n'
    'kueue_admission_wait_time_seconds_bucket{{cluster_queue="training",le="+Inf"}} {all}\n'
    'kueue_admission_wait_time_seconds_sum{{cluster_queue="training"}} 1\n'
    'kueue_admission_wait_time_seconds_count{{cluster_queue="training"}} {all}\n'
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    metrics = {
        "dcgm-exporter": XID.format(code=0),
        "kueue": EVICTED.format(count=0) + WAIT.format(fast=0, all=0),
        "certificates": "",
    }
    folder = tmp_path_factory.mktemp("monitoring")
    with monitoring(folder, rules.rule_groups(environments.COMPLETE), NOTIFICATIONS, metrics) as started:
        eventually("targets are scraped", lambda: len(started.query("up == 1")) == len(metrics))
        yield started


def received(running: Monitoring, receiver: str, alert: str) -> dict[str, Any]:
    """Return the alert that a receiver got; it got it once, and no other receiver did."""
    eventually(f"{receiver} gets {alert}", lambda: running.endpoints.alerts(receiver, alert) or None)
    for other in running.endpoints.messages:
        expected = 1 if other == receiver else 0
        assert len(running.endpoints.alerts(other, alert)) == expected, other
    (result,) = running.endpoints.alerts(receiver, alert)
    return result


def test_an_xid_error_of_the_hardware_reaches_the_receiver_of_critical_alerts(running: Monitoring) -> None:
    running.endpoints.metrics["dcgm-exporter"] = XID.format(code=79)
    alert = received(running, "on-call", "GpuXidHardwareError")
    assert alert["annotations"]["summary"] == "XID 79 on GPU 3 (H100) of node n1"
    assert alert["labels"]["cluster"] == "acme-prod"
    runbook = alert["annotations"]["runbook_url"].rpartition("/")[2]
    assert (RUNBOOKS / runbook).is_file(), "the link of the notification leads nowhere"


def test_evictions_of_workloads_reach_the_default_receiver(running: Monitoring) -> None:
    running.endpoints.metrics["kueue"] = EVICTED.format(count=7) + WAIT.format(fast=0, all=0)
    alert = received(running, "team", "WorkloadsNotReadyInTime")
    assert alert["labels"]["cluster_queue"] == "training"


def test_the_alert_that_always_fires_reaches_the_heartbeat_only(running: Monitoring) -> None:
    received(running, "heartbeat", "Watchdog")


def test_a_receiver_without_its_credential_hinders_no_other(running: Monitoring) -> None:
    file = running.folder / "ml-webhook"
    url = file.read_text()
    file.unlink()
    labels = {"alertname": "WithoutCredential", "severity": "critical", "owner": "ml"}
    alerts = f"{running.alertmanager}/api/v2/alerts"
    requests.post(alerts, json=[{"labels": labels}], timeout=10).raise_for_status()
    received(running, "on-call", "WithoutCredential")
    failed = 'alertmanager_notifications_failed_total{integration="webhook"'

    def counted() -> bool | None:
        lines = requests.get(f"{running.alertmanager}/metrics", timeout=10).text.splitlines()
        return any(line.startswith(failed) and not line.endswith(" 0") for line in lines) or None

    eventually("the failure is counted", counted)
    file.write_text(url)
    arrived = running.endpoints.alerts
    eventually("it arrives with its credential", lambda: arrived("ml", "WithoutCredential") or None)


def test_prometheus_stores_the_bounds_by_which_objectives_select(running: Monitoring) -> None:
    # The exporter writes `640`.
    running.endpoints.metrics["kueue"] = EVICTED.format(count=7) + WAIT.format(fast=3, all=10)
    objective = 'slo:bad_events:rate5m{slo="training-wait"}'
    ratio = f'{objective} / slo:events:rate5m{{slo="training-wait"}}'
    (series,) = eventually("bad events are counted", lambda: running.query(f"{ratio} > 0") or None)
    assert float(series["value"][1]) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"alertname": "Watchdog", "severity": "none"}, "heartbeat"),
        ({"alertname": "QueueInactive", "severity": "critical"}, "on-call"),
        ({"alertname": "QueueStalled", "severity": "warning"}, "team"),
        ({"alertname": "JobFailed", "severity": "info"}, "none"),
        ({"alertname": "SloErrorBudgetBurn", "severity": "warning", "owner": "ml"}, "ml"),
        ({"alertname": "SloErrorBudgetBurn", "severity": "critical", "owner": "ml"}, "ml,on-call"),
    ],
)
def test_an_alert_is_routed_to_its_receivers(labels: dict[str, str], receivers: str, tmp_path: Path) -> None:
    assert routes_of(labels, NOTIFICATIONS, tmp_path) == receivers


def test_each_alert_fires_for_its_cases_and_for_no_others(tmp_path: Path) -> None:
    tool = build.ensure(["promtool"])["promtool"]
    groups = rules.rule_groups(environments.COMPLETE)
    promtool.run(tool, "test", "rules", *(promtool.tests_file(name, groups, tmp_path) for name in NAMES))

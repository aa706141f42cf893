"""`aiplatform monitor report`: the Job that reads the last result, and what is printed of it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiClient, ApiException
from typer.testing import CliRunner

from cli import app as application
from cli.monitor import command
from cli.monitor.reports import Reports
from cli.output import CommandError

RESULT: dict[str, Any] = {
    "team": "search",
    "model": "fares",
    "version": "7",
    "status": "drifted",
    "window_start": "2026-11-27T02:00:00+00:00",
    "window_end": "2026-11-28T02:00:00+00:00",
    "rows": 8123,
    "problem_rows": 3,
    "baseline_table": "acme_prod_curated.trips",
    "baseline_snapshot": 42,
    "scores": [
        {"column": "distance", "score": "psi", "value": 0.3123, "threshold": 0.2, "drifted": True},
        {
            "column": "distance",
            "score": "ks",
            "value": 0.00012,
            "threshold": 0.025,
            "drifted": True,
            "below": True,
        },
        {"column": "zone", "score": "unseen", "value": 0, "threshold": 0.02, "drifted": False},
    ],
    "quality_metric": "mae",
    "quality": 2.31,
    "quality_reference": 1.9,
    "quality_rows": 500,
    "event": "sent",
    "report": "s3://acme-prod-model-monitor/reports/search/fares/20261128T020000Z-1.html",
}


class Cluster:
    """A CronJob, and Jobs that end as stated. status: of a request that is refused."""

    def __init__(self, log: str, condition: str = "Complete", *, status: int = 0) -> None:
        self.created: list[Any] = []
        self._log, self._condition, self._status = log, condition, status

    def read_namespaced_cron_job(self, name: str, namespace: str) -> Any:
        if (namespace, name) != ("search", "model-monitor-compare-fares"):
            raise ApiException(status=404, reason="Not Found")
        container = {"name": "main", "image": "model-monitor", "args": ["compare", "fares"]}
        pod = {"serviceAccountName": "team", "containers": [container]}
        template = {
            "metadata": {"labels": {"cost-center": "1"}},
            "spec": {"backoffLimit": 2, "template": {"spec": pod}},
        }
        return SimpleNamespace(spec=SimpleNamespace(job_template=template))

    def create_namespaced_job(self, namespace: str, body: Any) -> Any:
        if self._status:
            raise ApiException(status=self._status, reason="Forbidden")
        assert namespace == "search"
        self.created.append(body)
        return SimpleNamespace(metadata=SimpleNamespace(name="model-monitor-report-fares-1"))

    def read_namespaced_job(self, _name: str, _namespace: str) -> Any:
        condition = SimpleNamespace(
            status="True", type=self._condition, message="BackoffLimitExceeded", reason=""
        )
        return SimpleNamespace(status=SimpleNamespace(conditions=[condition]))

    def list_namespaced_pod(self, _namespace: str, label_selector: str) -> Any:
        assert label_selector == "batch.kubernetes.io/job-name=model-monitor-report-fares-1"
        return SimpleNamespace(items=[SimpleNamespace(metadata=SimpleNamespace(name="pod"))])

    def read_namespaced_pod_log(self, _name: str, _namespace: str, container: str) -> str:
        assert container == "main"
        return self._log


def reports(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> Reports:
    from kubernetes import client

    monkeypatch.setattr(client, "BatchV1Api", lambda _: cluster)
    monkeypatch.setattr(client, "CoreV1Api", lambda _: cluster)
    return Reports(ApiClient())


def test_the_job_is_that_of_the_monitor_with_another_command(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(f"starting\n{json.dumps(RESULT)}\n")
    assert reports(monkeypatch, cluster).last("search", "fares") == RESULT
    [job] = cluster.created
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["report", "fares"]
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "team", "it reads the table"
    assert job["spec"]["backoffLimit"] == 0
    assert job["metadata"]["labels"] == {"cost-center": "1"}, "guardrails may require them"


@pytest.mark.parametrize(
    ("cluster", "model", "reason"),
    [
        (Cluster(""), "fare", "model 'fare' has no monitor in the namespace search"),
        (
            Cluster("error: no result of search.fares yet", "Failed"),
            "fares",
            "^no result of search.fares yet",
        ),
        (Cluster("", "Failed"), "fares", "failed: BackoffLimitExceeded"),
        (Cluster("nothing"), "fares", "ended without a result"),
        (Cluster("", status=403), "fares", "no right to it: .*expected a member of the team"),
    ],
)
def test_what_went_wrong_is_stated(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, model: str, reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        reports(monkeypatch, cluster).last("search", model)


def test_the_table_states_which_columns_drifted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = reports(monkeypatch, Cluster(json.dumps(RESULT)))
    monkeypatch.setattr(command, "_reports", lambda *_: known)
    printed = CliRunner().invoke(application.app, ["monitor", "report", "aws-dev", "search/fares"])
    assert printed.exit_code == 0, printed.output
    for text in (
        "search/fares version 7: drifted",
        "snapshot 42",
        "8123 rows",
        "mae 2.31, registered 1.9, 500 labels",
        "reports/search/fares/20261128T020000Z-1.html",
    ):
        assert text in printed.output, printed.output
    lines = [line.split() for line in printed.output.splitlines()]
    assert ["distance", "psi", "0.3123", ">=", "0.2", "drifted"] in lines
    assert ["distance", "ks", "0.00012", "<", "0.025", "drifted"] in lines
    assert ["zone", "unseen", "0", ">=", "0.02", "ok"] in lines
    as_json = CliRunner().invoke(application.app, ["monitor", "report", "aws-dev", "search/fares", "--json"])
    assert json.loads(as_json.output) == RESULT


def test_a_model_without_a_team_is_refused() -> None:
    result = CliRunner().invoke(application.app, ["monitor", "report", "aws-dev", "fares"])
    assert isinstance(result.exception, CommandError)
    assert "expected TEAM/MODEL" in str(result.exception)


def test_result_of_a_model_that_nothing_trains_names_the_first_rows() -> None:
    result = {**RESULT, "baseline_table": None, "baseline_snapshot": None, "baseline_rows": 1000}
    assert "baseline  the first 1000 rows of the version" in list(command.summary(result))

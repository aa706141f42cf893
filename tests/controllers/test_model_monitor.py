"""Drift of a served model, from requests through the gateway to the training that it starts: KServe's agent
in the Pod of the server, the Jobs of the monitor, the Pushgateway, Prometheus, Alertmanager, KEDA and Argo
Workflows are real.

The fixtures are the steps, in the order in which they are written: each needs those before it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.observability import rules
from aiplatform.observability.notifications import Notifications, Receiver, Route, Webhook
from tests.components.aiplatform.observability import environments
from tests.controllers import lifecycle_platform
from tests.controllers.clients import TOKENS
from tests.controllers.lifecycle_platform import CI, MODEL, RELEASE, SERVICE, Platform, customers, outputs_of
from tests.controllers.monitor_platform import COOLDOWN_HOURS, MINIMUM_ROWS, VARIANT, Monitor
from tests.controllers.monitoring import Monitoring, monitoring
from tests.controllers.training_platform import RELEASER, TEAM
from tests.controllers.workflows import workflow
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(3600)
REQUESTS: Final = 60
"""Of a day, each for ten customers."""
CUSTOMERS: Final = 10
DAYS: Final = (26, 2)
"""How many hours ago the requests of the days are: those of the first are before the window of the second."""
JOINED: Final = 65
"""Seconds after which a Job takes what was stored: answers are waited for a minute."""
NOTIFICATIONS: Final = Notifications(
    receivers=[
        Receiver(TEAM, webhook=Webhook("acme/training")),
        Receiver("platform", webhook=Webhook("acme/platform")),
        Receiver("heartbeat", webhook=Webhook("acme/heartbeat")),
    ],
    default="platform",
    routes=[Route(TEAM, labels={"team": TEAM})],
    heartbeat="heartbeat",
)
DRIFT: Final = "ModelInputDrift"


@dataclass(frozen=True)
class Served:
    """The platform with a model that is served, its monitor, and what watches its numbers."""

    platform: Platform
    monitor: Monitor
    watching: Monitoring

    def alerts(self, receiver: str) -> list[dict[str, Any]]:
        """Return the alerts about drift that a receiver got."""
        return self.watching.endpoints.alerts(receiver, DRIFT)

    def number(self, name: str, **labels: str) -> float | None:
        """Return a number of the last run that Prometheus has."""
        selected = ",".join(f'{label}="{value}"' for label, value in {"team": TEAM, **labels}.items())
        series = self.watching.query(f"ai_platform_monitor_{name}{{{selected}}}")
        return float(series[0]["value"][1]) if len(series) == 1 else None

    def by_drift(self) -> list[dict[str, Any]]:
        """Return the workflows that train the model because of drift."""
        items = self.platform.workflows(TEAM, f"train-{MODEL}")
        return [item for item in items if item["metadata"]["labels"].get("ai-platform/cause") == "drift"]


@pytest.fixture(scope="module")
def served(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A version that CI has trained, a member of the release group has approved, and the gateway leads to."""
    folder = tmp_path_factory.mktemp("watching")
    groups = rules.rule_groups(environments.COMPLETE)
    with lifecycle_platform.created(home, tmp_path_factory.mktemp("lifecycle"), VARIANT) as platform:
        _release(platform)
        monitor = Monitor(platform)
        exporters = {"prometheus-pushgateway": monitor.gateway()}
        with monitoring(folder, groups, NOTIFICATIONS, {}, exporters) as watching:
            eventually("the Pushgateway is scraped", lambda: watching.query("up == 1") or None)
            yield Served(platform, monitor, watching)


def _release(platform: Platform) -> None:
    ci = platform.member(CI)
    eventually("access of CI", lambda: not ci.dry_run(workflow("probe", f"train-{MODEL}", TEAM)), 120)
    platform.teams.write(customers(1, lambda tenure, orders, _: orders + tenure < 15))
    platform.member(CI).create(workflow("first", f"train-{MODEL}", TEAM))
    assert platform.ended(TEAM, "first", 900)["status"]["phase"] == "Succeeded", platform.state(TEAM)
    promotion = platform.requested("1")["metadata"]["name"]
    platform.model_command(RELEASER, "approve", promotion)
    assert platform.ended(RELEASE, promotion, 600)["status"]["phase"] == "Succeeded", platform.state(RELEASE)
    rollout, _ = platform.moved(platform.rolled_out("1")["metadata"]["name"])
    assert outputs_of(rollout)["result"] == "promoted", platform.state(TEAM)
    ask = platform.clients.ask
    eventually("an answer", lambda: ask(TOKENS.token(TEAM)).status == 200, 60)


def _day(served: Served, hours: int, longest_tenure: float) -> None:
    """Send the requests of a day, date them back, and have the monitor store them in its table."""
    source = random.Random(hours)
    platform, monitor = served.platform, served.monitor
    for key in monitor.records():
        # Those by which the test learned that the service answers.
        platform.cluster.plain.aws("s3").delete_object(Bucket=monitor.outputs["bucket"], Key=key)
    for _ in range(REQUESTS):
        rows = [[source.uniform(0, longest_tenure), source.uniform(0, 20)] for _ in range(CUSTOMERS)]
        answer = platform.clients.predict(TOKENS.token(TEAM), rows)
        assert answer.status == 200, answer

    def stored() -> bool:
        return sum(map(len, monitor.records().values())) == 2 * REQUESTS

    platform.eventually("requests and answers are stored", lambda: stored() or None, 60, TEAM)
    monitor.date_back(hours)
    time.sleep(JOINED)
    monitor.run("compact")
    assert not monitor.records(), "what is in the table is deleted"


def test_agent_stores_requests_with_the_version_below_the_folder_of_the_namespace(served: Served) -> None:
    def complete() -> dict[str, list[dict[str, Any]]] | None:
        objects = served.monitor.records()
        kinds = {record["reqType"].rpartition(".")[2] for records in objects.values() for record in records}
        return objects if kinds == {"request", "response"} else None

    objects = served.platform.eventually("records", complete, 60, TEAM)
    [record, *_] = [record for records in objects.values() for record in records]
    assert record["annotations"] == {"ai-platform/model": MODEL, "ai-platform/release": "1"}
    assert {key.split("/")[2] for key in objects} == {f"{SERVICE}-blue"}


@pytest.fixture(scope="module")
def quiet(served: Served) -> dict[str, Any]:
    """A day of customers as those of the training, and the result of its window."""
    _day(served, DAYS[0], 10)
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=24)
    served.monitor.run("compare", "--end", last.isoformat())
    return served.monitor.report(TEAM)


def test_day_without_drift_is_a_row_and_no_alert(served: Served, quiet: dict[str, Any]) -> None:
    assert (quiet["status"], quiet["version"], quiet["event"]) == ("ok", "1", "none"), quiet
    assert quiet["rows"] == REQUESTS * CUSTOMERS >= MINIMUM_ROWS
    assert quiet["baseline_snapshot"] == served.platform.teams.snapshots[0]
    assert quiet["problem_rows"] == 0
    eventually("Prometheus has the result", lambda: served.number("window_drifted") == 0, 30)
    # Rules are evaluated each second.
    time.sleep(5)
    pending = served.watching.query(f'ALERTS{{alertname="{DRIFT}"}}')
    assert not pending, "nor is one that waits"
    assert not served.by_drift()


@pytest.fixture(scope="module")
def drifted(served: Served, quiet: dict[str, Any]) -> dict[str, Any]:
    """A day of customers who have been customers for longer, and the result of its window."""
    del quiet
    _day(served, DAYS[1], 20)
    served.monitor.run("compare")
    return served.monitor.report(TEAM)


def test_day_with_drift_is_a_row_with_the_column_and_its_scores(drifted: dict[str, Any]) -> None:
    assert (drifted["status"], drifted["version"], drifted["event"]) == ("drifted", "1", "sent"), drifted
    assert drifted["rows"] == REQUESTS * CUSTOMERS, "those of the day before are not in the window"
    columns = {score["column"] for score in drifted["scores"] if score["drifted"]}
    assert "tenure" in columns
    assert "orders" not in columns


def test_its_metric_is_over_its_threshold(served: Served, drifted: dict[str, Any]) -> None:
    del drifted
    of_score = {"model": MODEL, "column": "tenure", "score": "psi"}
    value = eventually("the new number", lambda: served.number("drift_score", **of_score), 30)
    threshold = served.number("threshold", **of_score)
    assert threshold is not None
    assert value > threshold


def test_its_report_shows_both_distributions(served: Served, drifted: dict[str, Any]) -> None:
    assert f"/{TEAM}/{MODEL}/" in drifted["report"]
    html = served.monitor.html(drifted["report"])
    if folder := os.environ.get("MODEL_MONITOR_REPORT"):
        # To be looked at in a browser.
        (Path(folder) / "report.html").write_text(html, encoding="utf-8")
    assert "tenure" in html
    assert "orders" in html


def test_drift_starts_one_training_and_no_second_one_in_the_cool_down(
    served: Served, drifted: dict[str, Any]
) -> None:
    del drifted
    [training] = served.platform.eventually("the training", lambda: served.by_drift() or None, 180, TEAM)
    ended = served.platform.ended(TEAM, training["metadata"]["name"], 900)
    assert ended["status"]["phase"] == "Succeeded", served.platform.state(TEAM)
    served.monitor.run("compare")
    again = served.monitor.report(TEAM)
    assert (again["status"], again["event"]) == ("drifted", "cooldown"), f"of {COOLDOWN_HOURS} hours"
    time.sleep(15)
    assert len(served.by_drift()) == 1


def test_its_alert_reaches_the_receiver_of_the_team_alone(served: Served, drifted: dict[str, Any]) -> None:
    del drifted
    # The last test, since the alert is pending for five minutes.
    [alert, *_] = eventually("the alert", lambda: served.alerts(TEAM) or None, 400)
    assert alert["labels"]["model"] == MODEL
    assert "tenure" in {entry["labels"]["column"] for entry in served.alerts(TEAM)}
    assert "differs from the training data" in alert["annotations"]["summary"]
    assert not served.alerts("platform"), "it is the team's"

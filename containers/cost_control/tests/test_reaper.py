"""Which work ends, and what is reported of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cost_control import metrics, reaper
from cost_control.labels import KEEP
from cost_control.queues import Object
from cost_control.reaper import Pod, Reference, Rules

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RULES = Rules(["shared"], 4)
IDLE, BUSY = 0.0, 0.7


def pod(name: str = "train-0", workload: str = "job-train", gpus: int = 1, **more: Any) -> Pod:
    reference = Reference("v1", "Pod", "vision", name, f"uid-{name}")
    made = Pod(reference, workload, gpus, NOW - timedelta(hours=5), "Job", {})
    return replace(made, **more)


class Cluster:
    """Pods and Workloads in memory."""

    def __init__(self, *pods: Pod, queue: str = "shared", active: bool = True, stale: bool = False) -> None:
        self._pods, self._queue, self._active, self._stale = list(pods), queue, active, stale
        self.ended: list[tuple[str, str]] = []
        self.events: list[tuple[str, str, str]] = []

    def pods(self) -> list[Pod]:
        """Return the Pods."""
        return self._pods

    def workload(self, namespace: str, name: str) -> Object | None:
        """Return a Workload of a Job."""
        if name == "deleted":
            return None
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u", "controller": True}
        metadata = {"namespace": namespace, "name": name, "uid": "w", "ownerReferences": [owner]}
        status = {"admission": {"clusterQueue": self._queue}}
        return {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "Workload",
            "metadata": metadata,
            "spec": {"active": self._active},
            "status": status,
        }

    def deactivate(self, workload: Object, reason: str) -> bool:
        """End a Workload."""
        if self._stale:
            return False
        self.ended.append((workload["metadata"]["name"], reason))
        return True

    def event(self, about: Reference, reason: str, message: str, *, warning: bool = False) -> None:
        """Record an event."""
        self.events.append((f"{about.kind} {about.name}", reason, message))


def used(**pods: list[float]) -> metrics.Query:
    """Return queries by which the GPUs of these Pods have a use, measured all the time."""

    def query(expression: str) -> list[tuple[metrics.Labels, float]]:
        if "GR_ENGINE" not in expression:
            return []
        counts = expression.startswith("count_over_time")
        return [
            (
                {"namespace": "vision", "pod": name.replace("_", "-"), "UUID": str(number)},
                48 if counts else use,
            )
            for name, uses in pods.items()
            for number, use in enumerate(uses)
        ]

    return query


def test_work_with_idle_gpus_ends_and_its_owner_has_an_event_with_the_reason() -> None:
    cluster = Cluster(pod())
    reaper.run(cluster, used(train_0=[IDLE]), RULES, NOW)
    assert cluster.ended == [("job-train", "all its GPUs were idle for 4 hours")]
    [(about, reason, message)] = cluster.events
    assert (about, reason) == ("Job train", "ReapedIdleGpus")
    assert "idle for 4 hours" in message
    assert KEEP in message


@pytest.mark.parametrize(
    ("pods", "use"),
    [
        ([pod()], {"train_0": [BUSY]}),
        ([pod(gpus=2)], {"train_0": [IDLE, BUSY]}),
        ([pod(gpus=2)], {"train_0": [IDLE]}),
        ([pod(), pod("train-1")], {"train_0": [IDLE], "train_1": [BUSY]}),
        ([pod(), pod("train-1")], {"train_0": [IDLE]}),
        ([pod(), pod("train-1", since=None)], {"train_0": [IDLE], "train_1": [IDLE]}),
        ([pod(since=NOW - timedelta(hours=3, minutes=59))], {"train_0": [IDLE]}),
        ([pod()], {}),
        ([pod(workload="deleted")], {"train_0": [IDLE]}),
    ],
    ids=[
        "a busy GPU",
        "one of two GPUs is busy",
        "one of two GPUs has no metrics",
        "another Pod is busy",
        "another Pod has no metrics",
        "another Pod does not run",
        "a Pod that is not yet old enough",
        "no metrics at all",
        "no such Workload",
    ],
)
def test_work_that_is_not_known_to_be_idle_goes_on(pods: list[Pod], use: dict[str, list[float]]) -> None:
    cluster = Cluster(*pods)
    reaper.run(cluster, used(**use), RULES, NOW)
    assert (cluster.ended, cluster.events) == ([], [])


def test_pods_without_gpus_do_not_matter() -> None:
    cluster = Cluster(pod(), pod("launcher", gpus=0, since=None))
    reaper.run(cluster, used(train_0=[IDLE]), RULES, NOW)
    assert len(cluster.ended) == 1


@pytest.mark.parametrize(
    "state",
    [{"queue": "gpu-check-t4"}, {"active": False}, {"stale": True}],
    ids=["queue", "ended", "changed"],
)
def test_work_of_other_queues_and_what_ends_already_is_left(state: dict[str, Any]) -> None:
    cluster = Cluster(pod(), **state)
    reaper.run(cluster, used(train_0=[IDLE]), RULES, NOW)
    assert (cluster.ended, cluster.events) == ([], [])


@pytest.mark.parametrize(
    ("value", "ends"),
    [("true", False), ("2026-11-25", False), ("2026-11-24", True), ("false", True), ("always", True)],
)
def test_label_of_a_pod_keeps_its_work_until_its_day(value: str, ends: bool) -> None:
    cluster = Cluster(pod(), pod("train-1", labels={KEEP: value}))
    reaper.run(cluster, used(train_0=[IDLE], train_1=[IDLE]), RULES, NOW)
    assert bool(cluster.ended) is ends


def test_dry_run_reports_alone() -> None:
    cluster = Cluster(pod())
    reaper.run(cluster, used(train_0=[IDLE]), replace(RULES, dry_run=True), NOW)
    assert cluster.ended == []
    assert [(about, reason) for about, reason, _ in cluster.events] == [("Job train", "IdleGpus")]


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (pod(controller="ReplicaSet"), "a Deployment would start it again"),
        (pod(workload=""), "no queue manages it"),
    ],
)
def test_what_would_start_again_and_what_has_no_queue_is_reported_and_goes_on(made: Pod, cause: str) -> None:
    cluster = Cluster(made)
    reaper.run(cluster, used(train_0=[IDLE]), RULES, NOW)
    assert cluster.ended == []
    [(about, reason, message)] = cluster.events
    assert (about, reason) == ("Pod train-0", "IdleGpus")
    assert cause in message
    kept = Cluster(replace(made, labels={KEEP: "true"}))
    reaper.run(kept, used(train_0=[IDLE]), RULES, NOW)
    assert kept.events == []


def test_exporter_of_a_free_gpu_is_no_idle_work() -> None:
    cluster = Cluster(pod(workload="", gpus=0, controller="DaemonSet"))
    reaper.run(cluster, used(train_0=[IDLE]), RULES, NOW)
    assert cluster.events == []


def test_missing_metrics_are_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    reaper.run(Cluster(pod()), used(), RULES, NOW)
    assert "Prometheus has no series of GPUs" in capsys.readouterr().err
    reaper.run(Cluster(), used(), RULES, NOW)
    assert capsys.readouterr().err == ""


def test_error_of_prometheus_ends_nothing() -> None:
    cluster = Cluster(pod())

    def failing(_: str) -> Any:
        raise ValueError("Prometheus: timeout")

    with pytest.raises(ValueError, match="timeout"):
        reaper.run(cluster, failing, RULES, NOW)
    assert cluster.ended == []

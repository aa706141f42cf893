"""Kueue itself, installed from its chart with the platform's values.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client

from aiplatform.addons.catalog import catalog
from tests.controllers.cluster import Cluster, flavor, job, local_queue, queue
from twin.processes import Daemon
from twin.tests.waiting import eventually

NAMESPACE = "team-kueue"
QUEUE = queue("team-kueue", 16)


@pytest.fixture(scope="module")
def team(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with a queue of 16 GPUs."""
    namespace = cluster.team(NAMESPACE)
    gpus = flavor()
    cluster.create(gpus, QUEUE, local_queue(NAMESPACE, "team-kueue"))
    yield cluster
    cluster.delete(namespace, QUEUE, gpus)
    eventually("the end of the flavor", lambda: _is_gone(cluster, gpus))


def _is_gone(cluster: Cluster, item: Any) -> bool:
    try:
        cluster.get(item)
    except client.ApiException as error:
        return error.status == 404
    return False


def process(cluster: Cluster, name: str = "kueue") -> psutil.Process:
    """The process of a controller."""
    running = Daemon(cluster.plain.instance.folder, name).process()
    assert running is not None, f"{name} does not run"
    return running


@pytest.mark.parametrize("addon", ["kueue", "jobset"])
def test_deployment_is_available_because_its_process_is_ready(cluster: Cluster, addon: str) -> None:
    assert cluster.ready(addon)
    state = json.loads(cluster.plain.cli("twin", "status", "--json", "--name", "controllers").stdout)
    # It may have been restarted: it ends where it starts before the chart's roles are there, as in a cluster.
    assert {entry["name"]: entry["state"] for entry in state["controllers"]}[addon] == "ready"
    assert addon in [entry["name"] for entry in state["processes"]]
    assert state["set_aside"] == []


@pytest.mark.parametrize("addon", ["kueue", "jobset"])
def test_controller_acts_as_the_service_account_of_its_pod(cluster: Cluster, addon: str) -> None:
    namespace = catalog()[addon].namespace
    (pod, *_) = cluster.core.list_namespaced_pod(namespace).items
    folder = cluster.plain.instance.folder / "controllers" / addon
    kubeconfig = json.loads((folder / "kubeconfig").read_text())
    (user,) = kubeconfig["users"]
    assert set(user["user"]) == {"tokenFile"}, "no certificate of the administrator's"
    token = Path(user["user"]["tokenFile"]).read_text()
    authentication: Any = client.AuthenticationV1Api(cluster.api)
    review = authentication.create_token_review({"spec": {"token": token}})
    account = pod.spec.service_account_name
    assert review.status.user.username == f"system:serviceaccount:{namespace}:{account}"
    assert review.status.user.extra["authentication.kubernetes.io/pod-name"] == [pod.metadata.name]


def test_controllers_listen_on_loopback_only(cluster: Cluster) -> None:
    for name in ("kueue", "jobset"):
        connections = process(cluster, name).net_connections("inet")
        addresses = {entry.laddr.ip for entry in connections if entry.status == psutil.CONN_LISTEN}
        assert addresses == {"127.0.0.1"}, name


def test_job_waits_in_its_queue_and_completes(team: Cluster) -> None:
    team.create(job(NAMESPACE, "first", seconds=2))
    created = team.batch.read_namespaced_job("first", NAMESPACE)
    assert created.spec.suspend is True, "Kueue's webhook suspends it before anything sees it"
    eventually("completion", lambda: "first" in team.jobs(NAMESPACE, "Complete"))
    assert "Admitted" in team.workloads(NAMESPACE)["first"]


def test_job_above_the_quota_waits_with_the_reason(team: Cluster) -> None:
    team.create(job(NAMESPACE, "large", gpus=24))
    reason = eventually("a reason", lambda: team.workloads(NAMESPACE)["large"].get("Pending"))
    assert "nvidia.com/gpu" in reason
    assert "24 > maximum capacity (16)" in reason or "insufficient" in reason, reason
    pending = json.loads(
        team.plain.cli(
            *("twin", "run", "--name", "controllers", "--", "kubectl", "get", "--raw"),
            "/apis/visibility.kueue.x-k8s.io/v1beta1/clusterqueues/team-kueue/pendingworkloads",
        ).stdout
    )
    assert [item["metadata"]["namespace"] for item in pending["items"]] == [NAMESPACE]
    team.delete(job(NAMESPACE, "large"))


def test_webhook_refuses_a_change_of_a_running_jobs_queue(team: Cluster) -> None:
    team.create(job(NAMESPACE, "steady"))
    eventually("start", lambda: "steady" in team.jobs(NAMESPACE, "Running"))
    with pytest.raises(client.ApiException) as refused:
        team.patch(job(NAMESPACE, "steady"), {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "other"}}})
    assert "vjob.kb.io" in str(refused.value.body)


def test_job_of_a_namespace_that_kueue_does_not_manage_is_left_alone(team: Cluster) -> None:
    unmanaged = job("default", "plain", gpus=0, seconds=1)
    del unmanaged["metadata"]["labels"]
    team.create(unmanaged)
    assert not team.batch.read_namespaced_job("plain", "default").spec.suspend
    team.delete(unmanaged)


def test_killed_controller_refuses_new_jobs_until_it_is_back_and_stops_none(team: Cluster) -> None:
    before, restarts = process(team), _restarts(team)
    before.kill()

    def refusal() -> str | None:
        probe = job(NAMESPACE, "refused", gpus=0, seconds=1)
        try:
            team.create(probe)
        except client.ApiException as error:
            return str(error.body)
        team.delete(probe)
        return None

    assert "failed calling webhook" in eventually("a refusal", refusal, 5)
    # The Deployment may be available for a moment longer than its process runs.
    kueue = Daemon(team.plain.instance.folder, "kueue")
    eventually("restart", lambda: _restarts(team) == restarts + 1 and kueue.alive and team.ready("kueue"))
    assert process(team).pid != before.pid
    assert "steady" in team.jobs(NAMESPACE, "Running"), "its Pod ran on"
    team.create(job(NAMESPACE, "second", seconds=1))
    eventually("completion", lambda: "second" in team.jobs(NAMESPACE, "Complete"))


def _restarts(cluster: Cluster) -> int:
    """How often the container of Kueue's Pod was restarted."""
    (pod,) = cluster.core.list_namespaced_pod("kueue-system").items
    (status,) = pod.status.container_statuses
    return status.restart_count

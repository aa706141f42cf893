"""Work with idle GPUs ends: the real Kueue, the real Prometheus with hand-written samples of DCGM, and the
program of containers/cost_control with the rights that the component gives it.

The program runs as if it were two hours later, so that Pods have run for the time that GPUs have to be idle.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.components.aiplatform.cost.example import REAPED, controlled
from tests.controllers import cost_control
from tests.controllers.cluster import GPU, Cluster
from tests.controllers.cost_control import Account
from tests.controllers.queue_objects import SETTLED, arguments, queues, submit, team, until_running
from twin.instances import free_ports
from twin.tests.waiting import eventually
from twin.toolchain import build

TEAM: Final = "vision"
GPUS: Final = 8
HOURS: Final = 1
PROGRAM: Final = f"""
import sys
from datetime import UTC, datetime, timedelta
from cost_control import metrics, reaper
from cost_control.cluster import Cluster
rules = reaper.Rules([{TEAM!r}], {HOURS}, dry_run=sys.argv[2] == "dry")
reaper.run(Cluster(), metrics.prometheus(sys.argv[1]), rules, datetime.now(UTC) + timedelta(hours=2))
"""


def samples(pods: Mapping[str, float]) -> str:
    """Return two hours of samples of each GPU of these Pods with this use, in the form of OpenMetrics."""
    now = int(time.time())
    lines = ["# TYPE DCGM_FI_PROF_GR_ENGINE_ACTIVE gauge"]
    for pod, use in pods.items():
        for gpu in range(GPUS):
            labels = f'namespace="{TEAM}",pod="{pod}",UUID="GPU-{pod}-{gpu}",gpu="{gpu}",Hostname="n"'
            lines += [
                f"DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{labels}}} {use} {now - 60 * minute}"
                for minute in range(120, -1, -1)
            ]
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def prometheus(folder: Path, pods: Mapping[str, float]) -> Iterator[str]:
    """Start Prometheus with the use of GPUs of these Pods; yield its address."""
    tools = build.ensure(["promtool", "prometheus"])
    folder.mkdir()
    text, data = folder / "samples.txt", folder / "data"
    text.write_text(samples(pods))
    subprocess.run(
        [tools["promtool"], "tsdb", "create-blocks-from", "openmetrics", text, data],
        check=True,
        capture_output=True,
    )
    configured = folder / "prometheus.yml"
    configured.write_text("scrape_configs: []\n")
    (port,) = free_ports(1)
    words = [
        str(tools["prometheus"]),
        f"--config.file={configured}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually("Prometheus is ready", lambda: _is_ready(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(url: str) -> bool | None:
    try:
        return requests.get(f"{url}/-/ready", timeout=5).ok or None
    except requests.ConnectionError:
        return None


@pytest.fixture(scope="module")
def account(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    recording = controlled("aws", **{**REAPED, "cluster_queues": [TEAM]})
    folder = tmp_path_factory.mktemp("account")
    with cost_control.account(cluster, recording, folder, "reaper") as created:
        yield created


@pytest.fixture
def jobs(cluster: Cluster) -> Iterator[None]:
    """The queue of a team with 16 GPUs, and three Jobs of 8: two run, one waits."""
    with queues(cluster, arguments(team(TEAM))):
        submit(cluster, TEAM, 3)
        until_running(cluster, {TEAM: 2})
        yield


def pod_of(cluster: Cluster, name: str) -> Any:
    [pod] = cluster.core.list_namespaced_pod(TEAM, label_selector=f"job-name={name}").items
    return pod


def events(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Return kind, name and reason of the program's events."""
    return [
        (event.involved_object.kind, event.involved_object.name, event.reason)
        for event in cluster.core.list_namespaced_event(TEAM).items
        if event.source.component == "ai-platform-cost"
    ]


def run(account: Account, url: str, *, dry: bool = False) -> str:
    return account.run("-c", PROGRAM, url, "dry" if dry else "", variables={})


def test_idle_job_ends_and_the_next_one_takes_its_gpus(
    cluster: Cluster, account: Account, jobs: None, tmp_path: Path
) -> None:
    idle, busy = sorted(cluster.jobs(TEAM, "Running"))
    [waiting] = {"train-0", "train-1", "train-2"} - {idle, busy}
    pods = {name: pod_of(cluster, name).metadata.name for name in (idle, busy)}
    with prometheus(tmp_path / "first", {pods[idle]: 0.001, pods[busy]: 0.6}) as url:
        assert "would end" in run(account, url, dry=True)
        assert cluster.jobs(TEAM, "Running") == {idle, busy}, "a dry run ends nothing"
        assert events(cluster) == [("Job", idle, "IdleGpus")]
        assert "ended: all its GPUs were idle for 1 hour" in run(account, url)
        until_running(cluster, {TEAM: 2})
        assert cluster.jobs(TEAM, "Running") == {busy, waiting}, "Kueue evicts it, and admits the next"
        assert idle in cluster.jobs(TEAM, "Suspended")
        assert ("Job", idle, "ReapedIdleGpus") in events(cluster)
        assert "ended" not in run(account, url), "what has ended is not ended again"
        time.sleep(SETTLED)
        assert idle in cluster.jobs(TEAM, "Suspended"), "it is not admitted again"


def test_label_keeps_an_idle_job_and_missing_metrics_end_nothing(
    cluster: Cluster, account: Account, jobs: None, tmp_path: Path
) -> None:
    labelled, unmeasured = sorted(cluster.jobs(TEAM, "Running"))
    pod = pod_of(cluster, labelled)
    label = {"metadata": {"labels": {"ai-platform/keep-running": "true"}}}
    cluster.core.patch_namespaced_pod(pod.metadata.name, TEAM, label)
    with prometheus(tmp_path / "second", {pod.metadata.name: 0.0}) as url:
        log = run(account, url)
    assert "kept by the label ai-platform/keep-running" in log
    assert cluster.jobs(TEAM, "Running") == {labelled, unmeasured}


def test_pod_of_a_deployment_is_reported_and_goes_on(
    cluster: Cluster, account: Account, tmp_path: Path
) -> None:
    with queues(cluster, arguments(team(TEAM))):
        cluster.create(deployment())
        pods = lambda: cluster.core.list_namespaced_pod(TEAM, label_selector="app=server").items  # noqa: E731
        eventually("the server runs", lambda: [pod.status.phase for pod in pods()] == ["Running"] or None)
        [pod] = pods()
        with prometheus(tmp_path / "third", {pod.metadata.name: 0.0}) as url:
            assert "a Deployment would start it again" in run(account, url)
        assert ("Pod", pod.metadata.name, "IdleGpus") in events(cluster)
        time.sleep(SETTLED)
        assert [entry.metadata.uid for entry in pods()] == [pod.metadata.uid]


def deployment() -> dict[str, Any]:
    labels = {"kueue.x-k8s.io/queue-name": "default"}
    limits = {"cpu": "8", "memory": "64Gi", GPU: str(GPUS)}
    container = {"name": "main", "image": "registry.example/server:1", "resources": {"limits": limits}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "server", "namespace": TEAM, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "server"}},
            "template": {"metadata": {"labels": {"app": "server"}}, "spec": {"containers": [container]}},
        },
    }


def test_program_can_neither_change_queues_nor_delete_work(cluster: Cluster, account: Account) -> None:
    import kubernetes

    api = kubernetes.config.new_client_from_config(str(account.kubeconfig()))
    review = kubernetes.client.AuthorizationV1Api(api)

    def allowed(verb: str, resource: str, group: str = "") -> bool:
        attributes = {"verb": verb, "resource": resource, "group": group, "namespace": TEAM}
        body: Any = {"spec": {"resourceAttributes": attributes}}
        answer: Any = review.create_self_subject_access_review(body)
        return answer.status.allowed

    del cluster
    assert allowed("patch", "workloads", "kueue.x-k8s.io")
    assert not allowed("delete", "workloads", "kueue.x-k8s.io")
    assert not allowed("patch", "clusterqueues", "kueue.x-k8s.io")
    assert not allowed("delete", "pods")
    assert not allowed("get", "secrets")

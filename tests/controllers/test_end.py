"""Controllers that are changed, deleted and deselected while there is work, and that end with the twin.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pulumi
import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource

from aiplatform.addons.values.setup import Setup
from tests.controllers.cluster import Addons, Cluster, flavor, job, local_queue, queue
from tests.end_to_end.harness import eventually
from twin.kubernetes.controllers import selection
from twin.processes import MARK, Daemon

NAMESPACE = "team-end"


@pytest.fixture(scope="module")
def ending(home: Path) -> Iterator[Cluster]:
    """Another twin, since its add-ons are deleted: with a queue for one job of two."""
    cluster = Cluster(home, "ending")
    try:
        cluster.add_nodes(1)
        cluster.stack("ending", program).up()
        cluster.team(NAMESPACE)
        cluster.create(local_queue(NAMESPACE, "team-end"))
        cluster.create(job(NAMESPACE, "runs"))
        eventually("one that runs", lambda: cluster.jobs(NAMESPACE, "Running") == {"runs"})
        cluster.create(job(NAMESPACE, "waits"))
        eventually("one that waits", lambda: "Pending" in cluster.workloads(NAMESPACE)["waits"])
        yield cluster
    finally:
        cluster.remove()


def program(setup: Setup | None = None) -> None:
    """The add-ons and the objects of queues, as the platform creates them."""
    addons = Addons(setup=setup)
    ready = pulumi.Output.all(*(installed.resources for installed in addons.installed.values()))
    resources = ready.apply(lambda lists: [resource for resources in lists for resource in resources])
    for item in (flavor(), queue("team-end", 8)):
        CustomResource(
            item["metadata"]["name"],
            api_version=item["apiVersion"],
            kind=item["kind"],
            metadata=item["metadata"],
            spec=item["spec"],
            opts=ResourceOptions(depends_on=resources),
        )


def test_rollout_of_kueue_neither_restarts_nor_loses_a_job(ending: Cluster) -> None:
    before = _uids(ending)
    daemon = Daemon(ending.plain.world.folder, "kueue")
    process = daemon.process()
    ending.stack("ending", lambda: program(Setup(replicas=2))).up()
    assert ending.ready("kueue"), "both Pods are"
    assert daemon.process() not in (None, process), "a new template starts a new process"
    assert _uids(ending) == before
    assert "Pending" in ending.workloads(NAMESPACE)["waits"]
    ending.batch.delete_namespaced_job("runs", NAMESPACE, propagation_policy="Background")
    eventually("the next job", lambda: ending.jobs(NAMESPACE, "Running") == {"waits"})


def test_destroy_with_queued_work_leaves_nothing(ending: Cluster) -> None:
    ending.create(job(NAMESPACE, "last"))
    eventually("one that waits", lambda: "Pending" in ending.workloads(NAMESPACE)["last"])
    stack = ending.stack("ending", program)
    ending.core.delete_namespace(NAMESPACE)
    stack.destroy()
    eventually(
        "gone namespaces", lambda: not _namespaces(ending) & {NAMESPACE, "kueue-system", "jobset-system"}
    )
    assert ending.list("kueue.x-k8s.io/v1beta2", "Workload") == []
    folder = ending.plain.world.folder
    for name in ("kueue", "jobset"):
        assert not Daemon(folder, name).alive
        assert not (folder / "controllers" / name).exists(), "no token or key stays"


def test_controller_that_is_deselected_ends_and_its_webhooks_are_set_aside(ending: Cluster) -> None:
    stack = ending.stack("ending", program)
    stack.up()
    ending.plain.cli("twin", "start", "--name", "ending", "--controllers", "none")
    assert selection.read(ending.plain.world) == {}
    eventually("end of the process", lambda: not Daemon(ending.plain.world.folder, "kueue").alive)
    namespace = ending.team("team-aside")
    # The certificate that Kueue wrote still proves the twin's answer.
    ending.create(local_queue("team-aside", "team-end"), job("team-aside", "unmanaged", gpus=0, seconds=1))
    assert not ending.batch.read_namespaced_job("unmanaged", "team-aside").spec.suspend
    status = eventually("report", lambda: _status(ending) if "Set aside" in _status(ending) else None)
    assert "kueue-mutating-webhook-configuration (Service kueue-system/kueue-webhook-service)" in status
    assert "APIService v1beta1.visibility.kueue.x-k8s.io" in status
    ending.delete(namespace)


@pytest.mark.parametrize("kill", [False, True])
def test_no_process_outlives_the_twin(ending: Cluster, kill: bool) -> None:
    ending.plain.cli("twin", "start", "--name", "ending", "--controllers", "kueue,jobset")
    eventually("ready controllers", lambda: ending.ready("kueue") and ending.ready("jobset"))
    if kill:
        controller = Daemon(ending.plain.world.folder, "controller").process()
        assert controller is not None
        controller.kill()
    ending.plain.cli("twin", "stop", "--name", "ending")
    assert _marked(ending) == []
    if not kill:
        ending.plain.cli("twin", "start", "--name", "ending")
        eventually("ready controllers", lambda: Daemon(ending.plain.world.folder, "kueue").alive)


def _uids(cluster: Cluster) -> set[str]:
    """The objects of the team's work."""
    listings = (
        cluster.list("batch/v1", "Job", NAMESPACE),
        cluster.list("v1", "Pod", NAMESPACE),
        cluster.list("kueue.x-k8s.io/v1beta2", "Workload", NAMESPACE),
    )
    return {item["metadata"]["uid"] for items in listings for item in items}


def _status(cluster: Cluster) -> str:
    return cluster.plain.cli("twin", "status", "--name", cluster.plain.environment).stdout


def _namespaces(cluster: Cluster) -> set[str]:
    return {item.metadata.name for item in cluster.core.list_namespace().items}


def _marked(cluster: Cluster) -> list[str]:
    """The processes of a twin that run."""
    names: list[str] = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK, "")
        except (psutil.Error, OSError):
            continue
        if mark.startswith(str(cluster.plain.world.folder)):
            names.append(process.name())
    return names

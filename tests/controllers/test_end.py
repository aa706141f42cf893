"""Controllers that are changed, deleted and deselected while there is work, and that end with the twin.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import pulumi
import pytest

from aiplatform.addons import Addons
from aiplatform.addons.catalog import catalog
from tests.addon_options import only
from tests.controllers import team
from tests.controllers.cluster import ADDONS, CONTROLLERS, Cluster
from tests.controllers.definitions import Module
from tests.controllers.team import JOB, workload
from twin.kubernetes.controllers import selection
from twin.processes import MARK, Daemon
from twin.tests.waiting import eventually
from twin.toolchain.charts import ChartSource, copy_chart, ensure_charts
from twin.toolchain.versions import read_versions

NAMESPACE: Final = "vision"
PREVIOUS: Final = read_versions().kueue_previous
KUEUE: Final = Module("sigs.k8s.io/kueue", f"v{PREVIOUS}", "h1:+Vs1H5sjXeSGG8BxvkrJCrpovB0vpuIHfkwSmlNSkyc=")
OPTIONS: Final[dict[str, Any]] = {
    "version": PREVIOUS,
    "allow_untested": True,
    "values": {"controllerManager": {"manager": {"image": {"tag": f"v{PREVIOUS}"}}}},
}
"""The options of the add-on by which Kueue stays at the version before the catalog's, or goes back to it."""


class Ending(Cluster):
    """A cluster whose add-ons, queues and teams are one stack."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "ending", f"{CONTROLLERS},kueue-previous")
        self._charts = home / "charts"
        shutil.copytree(ensure_charts(), self._charts)
        source = ChartSource("kueue", PREVIOUS, f"v{PREVIOUS}", chart="charts/kueue")
        copy_chart(source, KUEUE.folder(home), self._charts)

    def program(self, kueue: dict[str, Any] | None = None, replicas: int = 1) -> None:
        """Register everything. kueue: options of the add-on."""
        options: Any = only(ADDONS)
        if kueue:
            options["kueue"] = kueue
        addons = Addons(
            "addons",
            {
                "prefix": "acme-dev",
                "cluster": {"name": self.base.cluster, "security_group_id": "sg-1"},
                "charts": str(self._charts),
                "replicas": replicas,
                "options": options,
            },
        )
        resources = pulumi.Output.all(*(addon.resources for addon in addons.installed.values()))
        after = resources.apply(lambda lists: [resource for some in lists for resource in some])
        team.program(self.base.cluster, gpus=8, after=after)

    def up(self, **arguments: Any) -> None:
        """Deploy the program."""
        self.stack("ending", lambda: self.program(**arguments)).up()


@pytest.fixture(scope="module")
def ending(home: Path) -> Iterator[Ending]:
    """Another twin, since its add-ons are deleted: with the Kueue before the catalog's, and a queue for one
    job of two."""
    cluster = Ending(home)
    try:
        cluster.add_nodes(1)
        cluster.up(kueue=OPTIONS)
        cluster.create(workload(*JOB, "runs"))
        eventually("one that runs", lambda: cluster.jobs(NAMESPACE, "Running") == {"runs"})
        cluster.create(workload(*JOB, "waits"))
        eventually("one that waits", lambda: "Pending" in cluster.workloads(NAMESPACE)["waits"])
        yield cluster
    finally:
        cluster.remove()


def test_upgrade_of_kueue_by_a_minor_version_neither_restarts_nor_loses_a_job(ending: Ending) -> None:
    before = _uids(ending)
    assert _version(ending) == PREVIOUS
    ending.up()
    assert ending.ready("kueue")
    assert _version(ending) == catalog()["kueue"].version
    assert _uids(ending) == before
    assert ending.jobs(NAMESPACE, "Running") == {"runs"}
    assert "Pending" in ending.workloads(NAMESPACE)["waits"]
    (pod,) = ending.core.list_namespaced_pod(NAMESPACE).items
    assert pod.status.container_statuses[0].restart_count == 0
    ending.delete(workload(*JOB, "runs"))
    eventually("the next job", lambda: ending.jobs(NAMESPACE, "Running") == {"waits"})


def test_rollback_of_kueue_and_an_upgrade_with_two_replicas_keep_all_work(ending: Ending) -> None:
    ending.create(workload(*JOB, "later"))
    eventually("one that waits", lambda: "Pending" in ending.workloads(NAMESPACE)["later"])
    before = _uids(ending)
    for arguments, version in (
        ({"kueue": OPTIONS}, PREVIOUS),
        ({"replicas": 2}, catalog()["kueue"].version),
    ):
        ending.up(**arguments)
        assert ending.ready("kueue"), "all its Pods are"
        assert _version(ending) == version, "a new template starts a new process"
        assert _uids(ending) == before
        assert ending.jobs(NAMESPACE, "Running") == {"waits"}
        assert "Pending" in ending.workloads(NAMESPACE)["later"]


def _version(cluster: Cluster) -> str:
    """Return the version of the Kueue that runs."""
    process = Daemon(cluster.plain.instance.folder, "kueue").process()
    assert process is not None
    builds = selection.versions(cluster.plain.instance)["kueue"]
    return next(version for version, build in builds.items() if build.binary == process.cmdline()[0])


def test_destroy_with_queued_work_leaves_nothing(ending: Ending) -> None:
    assert ending.jobs(NAMESPACE, "Running") == {"waits"}
    assert "Pending" in ending.workloads(NAMESPACE)["later"]
    ending.stack("ending", ending.program).destroy()
    assert not _namespaces(ending) & {*team.TEAMS, "kueue-system", "jobset-system"}
    assert ending.list("kueue.x-k8s.io/v1beta2", "Workload") == []
    folder = ending.plain.instance.folder
    for name in ("kueue", "jobset"):
        assert not Daemon(folder, name).alive
        assert not (folder / "controllers" / name).exists(), "no token or key stays"


def test_controller_that_is_deselected_ends_and_its_webhooks_are_set_aside(ending: Ending) -> None:
    ending.up()
    ending.plain.cli("twin", "start", "--name", "ending", "--controllers", "none")
    assert selection.read(ending.plain.instance) == {}
    eventually("end of the process", lambda: not Daemon(ending.plain.instance.folder, "kueue").alive)
    # The certificate that Kueue wrote still proves the twin's answer.
    unmanaged = workload(*JOB, "unmanaged", resources=None)
    ending.create(unmanaged)
    assert not ending.batch.read_namespaced_job("unmanaged", NAMESPACE).spec.suspend
    status = eventually("report", lambda: _status(ending) if "Set aside" in _status(ending) else None)
    assert "kueue-mutating-webhook-configuration (Service kueue-system/kueue-webhook-service)" in status
    assert "APIService v1beta1.visibility.kueue.x-k8s.io" in status
    ending.delete(unmanaged)


@pytest.mark.parametrize("kill", [False, True])
def test_no_process_outlives_the_twin(ending: Ending, kill: bool) -> None:
    ending.plain.cli("twin", "start", "--name", "ending", "--controllers", CONTROLLERS)
    eventually("ready controllers", lambda: ending.ready("kueue") and ending.ready("jobset"))
    if kill:
        controller = Daemon(ending.plain.instance.folder, "controller").process()
        assert controller is not None
        controller.kill()
    ending.plain.cli("twin", "stop", "--name", "ending")
    assert _marked(ending) == []
    if not kill:
        ending.plain.cli("twin", "start", "--name", "ending")
        eventually("ready controllers", lambda: Daemon(ending.plain.instance.folder, "kueue").alive)


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
        if mark.startswith(str(cluster.plain.instance.folder)):
            names.append(process.name())
    return names

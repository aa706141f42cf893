"""Downloads of a TrainJob that take longer than Kueue gives workloads to start: with the real Trainer, JobSet
and Kueue, and an initializer and a node that run as processes.

Kueue's limit is one for all workloads, and counts from admission until all Pods are ready, those of jobs that
wait for others included. So an environment gives workloads more time than its initializers have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest
from pulumi import ResourceOptions

from aiplatform._shared.args import read
from aiplatform.addons.pods_ready import PodsReady
from aiplatform.addons.values.setup import Setup
from aiplatform.queues import Queues
from aiplatform.training import Training
from stacks import arguments
from stacks.loading import load_file
from stacks.validation import placeholders
from tests.controllers.cluster import Addons, Cluster, node
from tests.controllers.monitored import storage_class
from tests.controllers.team import CPU_POOL
from tests.controllers.test_trainer import conditions
from tests.stacks.test_google_files import changed
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

TEAM: Final = "vision"
STATED: Final[dict[str, Any]] = {"timeout_minutes": 1, "recovery_minutes": 1}
"""What an environment states for workloads in general: the least that Kueue is given."""
DOWNLOAD: Final = 80
"""Seconds, more than that."""
RUNTIMES: Final[dict[str, Any]] = {
    "torch-data": {
        "pool": "general",
        "memory_gib": 1,
        "initializers": {"kinds": ["dataset"], "storage_gib": 1, "timeout_minutes": 5},
    }
}
IMAGES: Final = """
["trainer/dataset-initializer"]
folder = "tests/controllers/pod_images"
entrypoint = ["python", "download.py"]

["tests/train"]
folder = "tests/controllers/pod_images"
entrypoint = ["python", "train.py"]
"""


@dataclass
class Platform:
    """The cluster, and what Kueue gives workloads to start."""

    cluster: Cluster
    pods_ready: PodsReady = field(default_factory=lambda: PodsReady(**STATED))

    def up(self) -> None:
        """Deploy add-ons, queues and training."""
        self.cluster.stack("training", self._program).up()
        eventually("Kueue", lambda: self.cluster.ready("kueue"), 120)

    def _program(self) -> None:
        addons = Addons(setup=Setup(pods_ready=self.pods_ready))
        after = pulumi.Output.all(*(addon.resources for addon in addons.installed.values())).apply(
            lambda known: [resource for resources in known for resource in resources]
        )
        ready = ResourceOptions(depends_on=after)
        entries: Any = [
            {
                "name": TEAM,
                "quotas": [{"pool": "general", "cpu": 6}],
                "local_queues": [{"namespace": TEAM}],
            }
        ]
        of_queues: Any = {"gpu_pools": [], "node_pools": [CPU_POOL], "queues": entries}
        Queues("queues", of_queues, ready)
        keys = ("name", "node_selector", "taints", "vcpus_per_node", "memory_gib_per_node")
        of_training: Any = {
            "cluster": {"name": self.cluster.base.cluster, "security_group_id": "sg-1"},
            "node_pools": [{key: CPU_POOL[key] for key in keys}],
            "runtimes": RUNTIMES,
            "charts": str(ensure_charts()),
        }
        Training("training", of_training, ready)


def train_job(name: str) -> dict[str, Any]:
    """Return a TrainJob whose data set takes longer than Kueue is given for workloads in general."""
    variables = {"SECONDS": str(DOWNLOAD), "TARGET": "/workspace/dataset"}
    download = {
        "storageUri": "s3://acme-data/churn",
        "env": [{"name": key, "value": value} for key, value in variables.items()],
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name, "namespace": TEAM, "labels": {"kueue.x-k8s.io/queue-name": "default"}},
        "spec": {
            "runtimeRef": {"name": "torch-data"},
            "initializer": {"dataset": download},
            "trainer": {
                "numNodes": 1,
                "image": f"registry.example/tests/train@sha256:{'0' * 64}",
                "args": ["/workspace/dataset/part"],
            },
        },
    }


@pytest.fixture(scope="module")
def platform(home: Path) -> Iterator[Platform]:
    cluster = Cluster(home, "initializers", "kueue,jobset,trainer", IMAGES)
    try:
        cluster.create(node("system-0", cpu=8, taints=[]), storage_class())
        cluster.create(node("cpu-0", cpu=16, labels=CPU_POOL["node_selector"]))
        cluster.team(TEAM)
        platform = Platform(cluster)
        platform.up()
        # Kueue looks for kinds that did not exist when it started every two minutes.
        eventually("queues for TrainJobs", lambda: cluster.accepted(train_job("probe")), 300)
        yield platform
    finally:
        cluster.remove()


def workload(platform: Platform, name: str) -> dict[str, Any]:
    """Return Kueue's Workload of a TrainJob."""
    [item] = [
        item
        for item in platform.cluster.list("kueue.x-k8s.io/v1beta2", "Workload", TEAM)
        if item["metadata"]["ownerReferences"][0]["name"] == name
    ]
    return item


def since(platform: Platform, name: str, condition: str) -> datetime | None:
    """Return since when a condition of a TrainJob's Workload is true."""
    for entry in (workload(platform, name).get("status") or {}).get("conditions") or ():
        if entry["type"] == condition and entry["status"] == "True":
            return datetime.fromisoformat(entry["lastTransitionTime"])
    return None


def state(platform: Platform, job: dict[str, Any]) -> str:
    """Return what is known of a TrainJob, for failures."""
    cluster, name = platform.cluster, job["metadata"]["name"]
    lines = [f"TrainJob {cluster.get(job).get('status')}", f"Workload {workload(platform, name)['status']}"]
    for kind, version in (("JobSet", "jobset.x-k8s.io/v1alpha2"), ("Job", "batch/v1"), ("Pod", "v1")):
        for item in cluster.list(version, kind, TEAM):
            lines.append(f"{kind} {item['metadata']['name']} {item.get('status')}")
    for event in cluster.core.list_namespaced_event(TEAM).items:
        lines.append(f"{event.involved_object.kind} {event.involved_object.name}: {event.message}")
    return "\n".join(lines)


def test_kueue_evicts_a_download_that_outlasts_its_limit(platform: Platform) -> None:
    """Without more time for downloads: what the other test would fail of."""
    job = train_job("early")
    platform.cluster.create(job)
    evicted = eventually("an eviction", lambda: since(platform, "early", "Evicted"), 60 + DOWNLOAD + 60)
    assert evicted is not None
    [entry] = [
        entry for entry in workload(platform, "early")["status"]["conditions"] if entry["type"] == "Evicted"
    ]
    assert entry["reason"] == "PodsReadyTimeout", entry
    assert "Complete" not in conditions(platform.cluster, job)
    platform.cluster.delete(job)


def test_an_initializer_that_outlasts_the_limit_of_other_workloads_is_not_evicted(
    platform: Platform, tmp_path: Path
) -> None:
    change = {"addons/pods_ready": STATED, "training/runtimes": RUNTIMES}
    settings = load_file(changed(tmp_path, change, "aws-dev"))
    granted: Any = arguments.addons(settings, placeholders.of(settings).cluster)
    platform.pods_ready = read(PodsReady, granted["pods_ready"], "pods_ready")
    platform.up()
    job = train_job("late")
    eventually("a TrainJob", lambda: platform.cluster.refusal(job) == "", 60)
    try:
        eventually("completion", lambda: "Complete" in conditions(platform.cluster, job), DOWNLOAD + 180)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{state(platform, job)}") from error
    status = workload(platform, "late")["status"]
    assert not [entry for entry in status["conditions"] if entry["type"] == "Evicted"], status
    assert not status.get("requeueState"), status
    [pod] = platform.cluster.core.list_namespaced_pod(TEAM, label_selector="job-name=late-node-0").items
    admitted = since(platform, "late", "Admitted")
    assert admitted is not None
    waited = (pod.status.start_time - admitted).total_seconds()
    assert waited > 60 * STATED["timeout_minutes"], "the node started later than others may"
    log = platform.cluster.core.read_namespaced_pod_log(pod.metadata.name, TEAM)
    assert log == "trained on rows\n"

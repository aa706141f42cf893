"""The production environments with the real controllers of add-ons: their twins, teams and jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import kubernetes
from kubernetes import client
from ruamel.yaml import YAML

from aiplatform import placement
from aiplatform._shared.kubernetes.node_labels import POOL
from tests.controllers.cluster import Objects, jobset_of
from tests.end_to_end import reduced
from tests.end_to_end.guardrail_objects import spec
from tests.end_to_end.harness import Twin
from twin.kubernetes import kwok
from twin.tests.waiting import eventually

NOT_NEEDED: Final = ("lakehouse", "feature_store", "model_registry", "cost")
"""The topics of the data, the models and the costs, which no job here uses. Without them an `up` is a third
shorter."""
RESEARCH, INFERENCE = "research", "inference"
TEAMS: Final = {RESEARCH: "training", INFERENCE: "serving"}
"""Team, which is also its namespace -> the ClusterQueue of its LocalQueue."""
SECONDS: Final = 120
"""The longest time until nodes are created and Pods run on them."""


@dataclass(frozen=True)
class Setup:
    """How a production environment differs from its file. owner: of a team, with `{team}` for its name.
    image: of the jobs' Pods. change: further keys of the file, as in `Twin.changed`."""

    controllers: Sequence[str]
    owner: str
    image: str
    change: Mapping[str, Any]


class Production(Twin):
    """The twin of a production environment with two teams, before its first `up`."""

    def __init__(self, home: Path, name: str, setup: Setup) -> None:
        super().__init__(name, home, without=NOT_NEEDED, checkpoints=False)
        self.setup = setup
        file = self._files / f"Pulumi.{name}.yaml"
        document = YAML(typ="safe").load(file)
        teams = {
            team: {"owners": [setup.owner.format(team=team)], "queue": queue} for team, queue in TEAMS.items()
        }
        reduced.overlay(document["config"], {"teams": teams, **setup.change})
        with file.open("w") as stream:
            YAML().dump(document, stream)
        self.cli("twin", "start", "--name", name, "--controllers", ",".join(setup.controllers))

    def pools(self) -> dict[str, dict[str, Any]]:
        """Return the outputs of the pools of accelerators."""
        return self.outputs()["foundation"]["gpu_pools"]


class Jobs(Objects):
    """The jobs of the teams, and what runs of them."""

    def __init__(self, environment: Production) -> None:
        administrator = kubernetes.config.new_client_from_config(str(environment.instance.kubeconfig))
        super().__init__(administrator)
        self.core: Any = client.CoreV1Api(self.api)
        self._pools = environment.pools()
        self._image = environment.setup.image

    def job(
        self, name: str, pool: str, *, seconds: int, pods: int = 1, team: str = RESEARCH
    ) -> dict[str, Any]:
        """Return a Job whose Pods each use a whole node of a pool. seconds: how long they run."""
        labels = {"kueue.x-k8s.io/queue-name": "default", "cost-center": "42"}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": team, "labels": labels},
            "spec": {
                "parallelism": pods,
                "completions": pods,
                "completionMode": "Indexed",
                "backoffLimit": 0,
                "template": self._template(pool, seconds),
            },
        }

    def _template(self, pool: str, seconds: int) -> dict[str, Any]:
        there = placement.of(self._pools[pool])
        pod = spec({"cpu": "2", "memory": "8Gi", **there.limits}, container={"image": self._image})
        annotations = {**there.annotations, kwok.RUN_FOR: f"{seconds}s"}
        return {"metadata": {"annotations": annotations}, "spec": there.pod(pod)}

    def running(self, job: Mapping[str, Any]) -> Callable[[], list[Any] | None]:
        """Return a probe: the nodes of the Pods of a Job or JobSet, where all of them run; None before."""
        name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        jobs = job["spec"].get("replicatedJobs")
        if jobs is None:
            label, pods = f"batch.kubernetes.io/job-name={name}", job["spec"]["parallelism"]
        else:
            label = f"jobset.sigs.k8s.io/jobset-name={name}"
            pods = sum(entry["replicas"] * entry["template"]["spec"]["parallelism"] for entry in jobs)

        def probe() -> list[Any] | None:
            items = self.core.list_namespaced_pod(namespace, label_selector=label).items
            running = [item for item in items if item.status.phase == "Running"]
            if len(running) != pods:
                return None
            return [self.core.read_node(item.spec.node_name) for item in running]

        return probe

    def nodes(self, pool: str) -> list[str]:
        """Return the names of the nodes of a pool."""
        return [item.metadata.name for item in self.core.list_node(label_selector=f"{POOL}={pool}").items]

    def conditions(self, item: Mapping[str, Any]) -> set[str]:
        """Return the conditions of an object that are true."""
        status = self.get(item).get("status") or {}
        return {entry["type"] for entry in status.get("conditions") or () if entry["status"] == "True"}

    def reason(self, job: Mapping[str, Any]) -> str | None:
        """Return why a Job has no quota, as Kueue states it; None before, and where it has."""
        for item in self.list("kueue.x-k8s.io/v1beta2", "Workload", job["metadata"]["namespace"]):
            if item["metadata"]["ownerReferences"][0]["name"] != job["metadata"]["name"]:
                continue
            for entry in (item.get("status") or {}).get("conditions") or ():
                if entry["type"] == "QuotaReserved" and entry["status"] == "False":
                    return entry["message"]
        return None


def check_drain(prod: Production, jobs: Jobs) -> None:
    """Drain the pool `training` while a JobSet runs there and another one waits: the first ends, and the
    second starts on new nodes."""
    running = jobset_of(jobs.job("ends", "training", seconds=30), replicas=2)
    jobs.create(running)
    before = {node.metadata.uid for node in eventually("two Pods", jobs.running(running), SECONDS)}
    prod.spawn("drain", prod.environment, "training")
    eventually("a held queue", lambda: "queue training: Hold" in prod.spawned())
    waits = jobset_of(jobs.job("waits", "training", seconds=15), replicas=2)
    jobs.create(waits)
    eventually("the drain", lambda: "is drained, and its queues admit again" in prod.spawned(), 300)
    assert "Completed" in jobs.conditions(running), "it was not stopped"
    assert jobs.get(running)["status"].get("restarts", 0) == 0
    after = {node.metadata.uid for node in eventually("two Pods", jobs.running(waits), SECONDS)}
    assert not before & after, "the next JobSet has new nodes"
    jobs.delete(running, waits)

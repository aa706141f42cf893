"""Members of a team in a cluster with guardrails and the real Kueue: what they create is queued and runs, and
nothing gets accelerators past the quota of the team.

The members have tokens of EKS, by the access entries of the component Teams; what holds them back is what the
platform has installed. What policies refuse to users with more rights is in
tests/end_to_end/guardrail_cases.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes import client

from tests.controllers.cluster import GPU, Cluster, Objects, node
from tests.controllers.definitions import runtime
from tests.controllers.team import (
    CPU_POOL,
    JOB,
    MEMBERS,
    QUOTA,
    SYSTEM,
    TEAMS,
    account,
    member,
    program,
    system_account,
    workload,
)
from twin.tests.waiting import eventually

LABEL: Final = "kueue.x-k8s.io/queue-name"
PRIORITY: Final = "kueue.x-k8s.io/priority-class"
SETTLED: Final = 4
"""Seconds after which Kueue would have admitted or evicted something more."""
TRAIN_JOB: Final = ("trainer.kubeflow.org/v1alpha1", "TrainJob")
KINDS: Final = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("ray.io/v1", "RayCluster"),
    TRAIN_JOB,
    ("v1", "Pod"),
)


@dataclass(frozen=True)
class Shared:
    """A cluster of teams, and their members by name."""

    cluster: Cluster
    members: Mapping[str, Objects]


@pytest.fixture(scope="module")
def teams(cluster: Cluster, home: Path) -> Iterator[Shared]:
    """Two teams with a queue of 16 GPUs each, and controllers that work in their namespaces."""
    machine = node("cpu-0", cpu=16, labels=CPU_POOL["node_selector"])
    system = [item for name in SYSTEM for item in system_account(name, "controller")]
    cluster.create(machine, *system)
    stack = cluster.stack("teams", lambda: program(cluster.base.cluster))
    try:
        arns = stack.up().outputs["roles"].value
        members = {name: member(cluster, arns[name]) for name in MEMBERS}
        for name in TEAMS:
            owner = members[f"{name}-owner"]
            eventually(
                f"access of {name}", lambda owner=owner, name=name: owner.list("v1", "Pod", name) == []
            )
        eventually("policies", lambda: _enforced(cluster, members["vision-owner"]))
        yield Shared(cluster, members)
    finally:
        stack.destroy()
        cluster.delete(machine, *system)


def _enforced(cluster: Cluster, owner: Objects) -> bool:
    """Whether the API server enforces the policies, which it reads some time after they were created."""
    probe = workload(*JOB, "probe", labels={LABEL: "other"}, resources=None)
    message = owner.refusal(probe)
    if not message:
        cluster.delete(probe)
    return "is no queue" in message


@pytest.fixture
def owner(teams: Shared) -> Iterator[Objects]:
    """The owner of the team `vision`, which has the most rights of its members. Deletes all work of the
    teams."""
    yield teams.members["vision-owner"]
    for name in TEAMS:
        for version, kind in KINDS:
            for item in teams.cluster.list(version, kind, name):
                teams.cluster.delete({"apiVersion": version, "kind": kind, **item})
        eventually(f"no work of {name}", lambda name=name: _left(teams.cluster, name) == [])


def _left(cluster: Cluster, namespace: str) -> list[str]:
    kinds = (*KINDS, ("kueue.x-k8s.io/v1beta2", "Workload"))
    return [
        item["metadata"]["name"] for version, kind in kinds for item in cluster.list(version, kind, namespace)
    ]


def gpus(cluster: Cluster, namespace: str = "vision") -> int:
    """Return the GPUs of the Pods that run."""
    return sum(
        int((container.resources.limits or {}).get(GPU, 0))
        for pod in cluster.core.list_namespaced_pod(namespace).items
        if pod.spec.node_name and pod.status.phase in ("Pending", "Running")
        for container in pod.spec.containers
    )


IN_QUEUE: Final = {LABEL: "default"}
NO_RIGHT: Final = "is forbidden: User"

REFUSED: Final[Mapping[str, tuple[dict[str, Any], str]]] = {
    "bare Pod": (workload("v1", "Pod", "x"), NO_RIGHT),
    "bare Pod in the queue": (workload("v1", "Pod", "x", labels=IN_QUEUE), NO_RIGHT),
    "namespace of another team": (workload(*JOB, "x", namespace="language"), NO_RIGHT),
    "namespace without a team": (workload(*JOB, "x", namespace="default"), NO_RIGHT),
    "queue of another team": (
        workload(*JOB, "x", labels={LABEL: "language"}),
        f"{LABEL} is no queue of this namespace",
    ),
    "Deployment in the queue of another team": (
        workload("apps/v1", "Deployment", "x", labels={LABEL: "language"}),
        f"{LABEL} is no queue of this namespace",
    ),
    "further LocalQueue": (
        {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "LocalQueue",
            "metadata": {"name": "mine", "namespace": "vision"},
            "spec": {"clusterQueue": "language"},
        },
        NO_RIGHT,
    ),
    "priority of serving in the queue": (
        workload(*JOB, "x", labels={**IN_QUEUE, PRIORITY: "serving"}),
        "ai-platform: ",
    ),
    "priority of serving": (workload(*JOB, "x", priorityClassName="serving"), "ai-platform: "),
    "priority of the system": (
        workload(*JOB, "x", priorityClassName="system-cluster-critical"),
        "ai-platform: ",
    ),
    "node with GPUs without requesting one": (
        workload(*JOB, "x", resources=None, tolerations=[{"operator": "Exists"}]),
        "ai-platform: tolerations",
    ),
    "node by its name": (workload(*JOB, "x", nodeName="gpu-0"), "ai-platform: nodeName"),
    "DaemonSet": (workload("apps/v1", "DaemonSet", "x"), NO_RIGHT),
}


@pytest.mark.parametrize("attempt", REFUSED)
@pytest.mark.parametrize("name", ["vision-owner", "vision-developer"])
def test_attempt_to_get_past_the_quota_is_refused(teams: Shared, name: str, attempt: str) -> None:
    body, expected = REFUSED[attempt]
    assert expected in teams.members[name].refusal(body)


def test_the_label_of_the_namespace_stays(teams: Shared) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vision"}}
    change = {"metadata": {"labels": {"kueue.x-k8s.io/managed-namespace": None}}}
    with pytest.raises(client.ApiException, match=NO_RIGHT):
        teams.members["vision-owner"].patch(namespace, change)


def test_a_service_account_of_another_team_gets_nothing_here(teams: Shared) -> None:
    other = account(teams.cluster, "language", "default")
    for version, kind in (JOB, ("apps/v1", "Deployment"), ("v1", "Pod")):
        assert NO_RIGHT in other.refusal(workload(version, kind, "x"))
    core: Any = client.CoreV1Api(teams.members["vision-owner"].api)
    with pytest.raises(client.ApiException, match=NO_RIGHT):
        core.create_namespaced_service_account_token("default", "language", {"spec": {}})


def test_what_names_no_queue_gets_the_default_one_and_stays_within_its_quota(
    teams: Shared, owner: Objects
) -> None:
    kinds = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), JOB, ("ray.io/v1", "RayCluster"))
    for version, kind in kinds:
        owner.create(workload(version, kind, kind.lower(), replicas=1 if kind == "Job" else 3))
        item = workload(version, kind, kind.lower())
        assert owner.get(item)["metadata"]["labels"][LABEL] == "default", f"Kueue sets it on the {kind}"
    ray = workload("ray.io/v1", "RayCluster", "raycluster")
    eventually("use of the quota", lambda: gpus(teams.cluster) == QUOTA)
    scale = {"spec": {"replicas": 5}}
    owner.patch(workload("apps/v1", "Deployment", "deployment"), scale)
    eventually("its Pods", lambda: len(_pods(teams.cluster, "deployment")) == 5)
    time.sleep(SETTLED)
    assert gpus(teams.cluster) == QUOTA
    gated = [pod for pod in _pods(teams.cluster, "deployment") if not pod.spec.node_name]
    gates = {gate.name for pod in gated for gate in pod.spec.scheduling_gates or ()}
    assert "kueue.x-k8s.io/admission" in gates, "Kueue has not admitted them"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "vision"}}
    pod["metadata"] |= {"name": gated[0].metadata.name}
    with pytest.raises(client.ApiException, match=NO_RIGHT):
        owner.patch(pod, {"spec": {"schedulingGates": None}})
    assert owner.get(ray)["spec"]["suspend"], "there is no quota left for it"


def _pods(cluster: Cluster, app: str, namespace: str = "vision") -> list[Any]:
    return cluster.core.list_namespaced_pod(namespace, label_selector=f"app={app}").items


def test_work_of_every_kind_is_admitted_and_runs(teams: Shared, owner: Objects) -> None:
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "nightly", "namespace": "vision"},
    }
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "model", "namespace": "vision"},
    }
    owner.create(workflow, service)
    step = workload("v1", "Pod", "step", resources=None)
    predictor = workload("apps/v1", "Deployment", "predictor")
    for item, parent in ((step, workflow), (predictor, service)):
        item["metadata"]["ownerReferences"] = [
            {
                "apiVersion": parent["apiVersion"],
                "kind": parent["kind"],
                "name": parent["metadata"]["name"],
                "uid": owner.get(parent)["metadata"]["uid"],
                "controller": True,
            }
        ]
    step["metadata"]["labels"]["app"] = "step"
    account(teams.cluster, "argo", "controller").create(step)
    account(teams.cluster, "kserve", "controller").create(predictor)
    owner.create(
        workload("apps/v1", "StatefulSet", "notebook", resources={"cpu": "1", "memory": "2Gi"}),
        workload(*JOB, "prepare", resources=None),
    )
    for app in ("step", "predictor", "notebook", "prepare"):
        eventually(f"{app} runs", lambda app=app: _runs(teams.cluster, app))
    for app in ("step", "prepare"):
        (pod,) = _pods(teams.cluster, app)
        requests = pod.spec.containers[0].resources.requests
        assert requests == {"cpu": "100m", "memory": "256Mi"}, "the LimitRange sets what a container lacks"
        assert pod.spec.node_name == "cpu-0", "work without GPUs does not occupy nodes that have some"
    (pod,) = _pods(teams.cluster, "predictor")
    assert pod.spec.node_name.startswith("gpu-")


def _runs(cluster: Cluster, app: str, namespace: str = "vision") -> bool:
    pods = _pods(cluster, app, namespace)
    return bool(pods) and all(pod.status.phase == "Running" for pod in pods)


def test_a_train_job_of_high_priority_never_evicts_a_predictor(
    teams: Shared, owner: Objects, home: Path
) -> None:
    del owner  # its end deletes what this test creates
    language, cluster = teams.members["language-owner"], teams.cluster
    blueprint = runtime(home)
    cluster.create(blueprint)
    try:
        serving = {**IN_QUEUE, PRIORITY: "serving"}
        high = {**IN_QUEUE, PRIORITY: "training-high"}
        language.create(workload("apps/v1", "Deployment", "model", labels=serving, namespace="language"))
        eventually("the model runs", lambda: _runs(cluster, "model", "language"))
        train = workload(
            "trainer.kubeflow.org/v1alpha1", "TrainJob", "small", labels=high, namespace="language"
        )
        large = {**train, "metadata": {**train["metadata"], "name": "large"}}
        large["spec"] = {**train["spec"], "trainer": {**train["spec"]["trainer"], "numNodes": 2}}
        language.create(train)
        eventually("the TrainJob starts", lambda: not language.get(train)["spec"]["suspend"])
        language.create(large)
        reason = eventually("a reason", lambda: cluster.workloads("language").get("large", {}).get("Pending"))
        time.sleep(SETTLED)
        assert language.get(large)["spec"]["suspend"], reason
        assert _runs(cluster, "model", "language")
        language.create(workload("apps/v1", "Deployment", "second", labels=serving, namespace="language"))
        eventually("serving evicts training", lambda: _runs(cluster, "second", "language"))
        assert language.get(train)["spec"]["suspend"]
        assert _runs(cluster, "model", "language")
    finally:
        cluster.delete(blueprint)

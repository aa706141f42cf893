"""The guardrails with Kueue and JobSet running: what users create is queued and runs, and no more."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Final

import pytest

from aiplatform.guardrails.args import POLICIES
from tests.controllers.cluster import Cluster, flavor, local_queue, queue
from tests.end_to_end.guardrail_cases import DEVELOPER, FORGED
from tests.end_to_end.guardrail_objects import GPU, QUEUE, controlled, job, job_set, spec
from tests.end_to_end.guardrails import ADMIN, Object, guardrails, namespace
from tests.end_to_end.guardrails import Cluster as Requests
from tests.end_to_end.harness import eventually
from twin.kubernetes import kwok

NAMESPACE: Final = "team-guarded"
ENFORCED: Final = ("accelerators", "queues", "namespaces", "bare-pods", "priorities")
JOBS: Final = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
SECOND: Final = {"annotations": {kwok.RUN_FOR: "1s"}}


@pytest.fixture(scope="module")
def requests(cluster: Cluster) -> Iterator[Requests]:
    """The policies, and the namespace of a team with a queue of 16 GPUs."""
    instance = Requests(cluster.plain.world)
    policies = guardrails(policies={name: "off" for name in POLICIES if name not in ENFORCED})
    team = namespace(NAMESPACE, cloud="aws", queues=["default"], members={"developer": [DEVELOPER[1]]})
    gpus, quota = flavor("guarded"), queue("team-guarded", 16)
    quota["spec"]["resourceGroups"][0]["flavors"][0]["name"] = "guarded"
    try:
        instance.apply(policies)
        instance.apply(team)
        cluster.create(gpus, quota, local_queue(NAMESPACE, "team-guarded"))
        forged = job(spec(), owner="JobSet")
        eventually("policies", lambda: FORGED in instance.refusal(forged, ADMIN, NAMESPACE))
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        eventually("service account", lambda: instance.request("GET", account)[0] == 200)
        yield instance
    finally:
        instance.remove(policies)
        instance.remove(team)
        cluster.delete(quota, gpus)


def create(requests: Requests, path: str, body: Object) -> Object:
    status, text, _ = requests.request("POST", path, body, DEVELOPER)
    assert status == 201, text
    return json.loads(text)


def test_a_job_without_a_queue_gets_that_of_its_namespace_and_completes(
    cluster: Cluster, requests: Requests
) -> None:
    body = job(spec(GPU))
    body["spec"]["template"]["metadata"] = SECOND
    created = create(requests, JOBS, body)
    assert created["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "default"
    name = created["metadata"]["name"]
    eventually("the Job's end", lambda: name in cluster.jobs(NAMESPACE, "Complete"), 60)


def test_the_jobs_and_pods_of_a_jobset_are_created_without_a_queue_of_their_own(
    cluster: Cluster, requests: Requests
) -> None:
    body = job_set(spec(GPU), QUEUE)
    inner = body["spec"]["replicatedJobs"][0]["template"]["spec"]
    inner["template"]["metadata"] = SECOND
    path = f"/apis/jobset.x-k8s.io/v1alpha2/namespaces/{NAMESPACE}/jobsets"
    name = create(requests, path, body)["metadata"]["name"]
    eventually("its Job's end", lambda: f"{name}-w-0" in cluster.jobs(NAMESPACE, "Complete"), 60)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_the_pods_of_a_server_run(cluster: Cluster, requests: Requests, kind: str) -> None:
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind.lower()}s"
    name = create(requests, path, controlled(kind, spec(GPU), QUEUE))["metadata"]["name"]

    def ready() -> bool:
        status = json.loads(requests.request("GET", f"{path}/{name}")[1])["status"]
        return status.get("readyReplicas") == 1

    eventually(f"a Pod of the {kind}", ready, 60)
    assert requests.request("DELETE", f"{path}/{name}", None, DEVELOPER)[0] == 200


def test_kueue_holds_nothing_back_that_claims_a_queued_owner_and_so_it_is_refused(
    cluster: Cluster, requests: Requests
) -> None:
    path = f"/apis/jobset.x-k8s.io/v1alpha2/namespaces/{NAMESPACE}/jobsets"
    owner = create(requests, path, job_set(spec({"cpu": "1", "memory": "1Gi"}), QUEUE))
    body = job(spec(GPU))
    forged = copy.deepcopy(body)
    identity = {key: owner["metadata"][key] for key in ("name", "uid")}
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True, **identity}
    forged["metadata"]["ownerReferences"] = [reference]
    assert FORGED in requests.refusal(forged, DEVELOPER, NAMESPACE)
    binding = (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/ai-platform-accelerators"
    )
    assert requests.request("DELETE", binding)[0] == 200

    def suspended(candidate: Object) -> bool | None:
        status, text, _ = requests.request("POST", f"{JOBS}?dryRun=All", candidate, DEVELOPER)
        return bool(json.loads(text)["spec"].get("suspend")) if status == 201 else None

    assert eventually("the end of the policy", lambda: suspended(forged) is not None)
    assert suspended(body) is True
    assert suspended(forged) is False, "Kueue would let it start, and count nothing"

"""Who creates which Jobs in the namespace of promotions, on a real API server: members of the release group,
with the platform's image and their own name."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator

import pytest

from aiplatform.model_store.args import RELEASE_GROUP as GROUP
from cli.model import jobs
from tests.components.aiplatform.model_store.example import APPROVERS, IMAGE, REGISTRY, store
from tests.end_to_end.guardrails import ADMIN, Cluster, Object, control_plane_of, until

pytestmark = pytest.mark.end_to_end

RELEASE = "release"
MANAGER = ("maria", GROUP)
STRANGER = ("author", "ai-platform:team:search:owner")
CONTROLLER = ("system:serviceaccount:kube-system:job-controller", "")
APPROVED_BY = "ai-platform/approved-by"


def job() -> Object:
    """Return a Job as the command creates it, with a name."""
    body = jobs.job(IMAGE, MANAGER[0], ["promote", "--", "search/ranker", "7"], label="ranker")
    del body["metadata"]["generateName"]
    body["metadata"]["name"] = "promote"
    # By JSON: its parts share their labels and annotations.
    return json.loads(json.dumps(body))


def changed(change: Callable[[Object], None]) -> Object:
    """Return the Job with a change."""
    body = copy.deepcopy(job())
    change(body)
    return body


def pod_of(body: Object) -> Object:
    """Return the specification of its Pods."""
    return body["spec"]["template"]["spec"]


def container(body: Object) -> Object:
    """Return its container."""
    return pod_of(body)["containers"][0]


def with_field(field: str, value: object) -> Object:
    """Return the Job with a field of its container."""
    return changed(lambda body: container(body).update({field: value}))


def approved_by(name: str) -> Object:
    """Return the Job with another name in its annotations."""
    body = job()
    body["metadata"]["annotations"][APPROVED_BY] = name
    body["spec"]["template"]["metadata"]["annotations"][APPROVED_BY] = name
    return body


def importing() -> Object:
    """Return a Job that imports."""
    body = job()
    pod_of(body)["serviceAccountName"] = "importer"
    body["spec"]["template"]["metadata"]["labels"]["ai-platform/release-job"] = "importer"
    return body


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        running.apply(store(registry=REGISTRY, release_group=[APPROVERS], image=IMAGE))
        for account in ("promoter", "importer"):
            path = f"/api/v1/namespaces/{RELEASE}/serviceaccounts"
            running.request("POST", path, {"metadata": {"name": account}})
        # Policies are enforced a moment after they are created.
        assert until(lambda: running.refusal(approved_by("another"), MANAGER, RELEASE)), "nothing is enforced"
        assert until(lambda: not running.refusal(job(), MANAGER, RELEASE)), running.refusal(
            job(), MANAGER, RELEASE
        )
        yield running


def test_members_of_the_release_group_promote_and_import(cluster: Cluster) -> None:
    assert cluster.refusal(job(), MANAGER, RELEASE) == ""
    assert cluster.refusal(importing(), MANAGER, RELEASE) == ""


_EXEC: Object = {"exec": {"command": ["python", "-c", "print()"]}}
RUNS: dict[str, object] = {
    "lifecycle": {"postStart": _EXEC},
    "livenessProbe": _EXEC,
    "readinessProbe": _EXEC,
    "startupProbe": _EXEC,
    "workingDir": "/tmp",  # noqa: S108 - in the container
}
REFUSED: dict[str, tuple[Object, str]] = {
    "the name of another user": (approved_by("another"), "with the name of the user that creates it"),
    "no name": (changed(lambda body: body["metadata"].pop("annotations")), "with the name of the user"),
    "another name in its Pods": (
        changed(
            lambda body: body["spec"]["template"]["metadata"]["annotations"].update({APPROVED_BY: "another"})
        ),
        "of its Pods to be its own",
    ),
    "another image": (
        changed(lambda body: container(body).update(image=f"{IMAGE.split('@')[0]}@sha256:{'1' * 64}")),
        "one container with the image",
    ),
    "the image by its tag": (
        changed(lambda body: container(body).update(image=f"{IMAGE.split('@')[0]}:latest")),
        "one container with the image",
    ),
    "a second container": (
        changed(lambda body: pod_of(body)["containers"].append({**container(body), "name": "second"})),
        "one container with the image",
    ),
    "an init container": (
        changed(lambda body: pod_of(body).update(initContainers=[{**container(body), "name": "first"}])),
        "one container with the image",
    ),
    "another program": (changed(lambda body: container(body).update(command=["sh"])), "no `command`"),
    **{
        f"another program by {field}": (
            with_field(field, value),
            "no `command`",
        )
        for field, value in RUNS.items()
    },
    "a registry at another address": (
        changed(
            lambda body: pod_of(body).update(
                hostAliases=[{"ip": "192.0.2.1", "hostnames": ["mlflow.model-registry.svc.cluster.local"]}]
            )
        ),
        "no `dnsConfig`, `hostAliases`, `nodeName`",
    ),
    "names of another server": (
        changed(lambda body: pod_of(body).update(dnsPolicy="None", dnsConfig={"nameservers": ["192.0.2.1"]})),
        "no `dnsConfig`, `hostAliases`, `nodeName`",
    ),
    "names of the node": (
        changed(lambda body: pod_of(body).update(dnsPolicy="Default")),
        "`dnsPolicy` ClusterFirst",
    ),
    "a stated node": (
        changed(lambda body: pod_of(body).update(nodeName="node-1")),
        "no `dnsConfig`, `hostAliases`, `nodeName`",
    ),
    "a volume over the program": (
        changed(lambda body: container(body)["volumeMounts"][0].update(mountPath="/usr/lib")),
        "volumes mounted at /tmp",
    ),
    "variables of a Secret": (
        changed(lambda body: container(body)["envFrom"].append({"secretRef": {"name": "mine"}})),
        "variables only from the ConfigMap",
    ),
    "files of a Secret": (
        changed(lambda body: pod_of(body)["volumes"].append({"name": "a", "secret": {"secretName": "mine"}})),
        "volumes only of emptyDir",
    ),
    "no limit of its time": (
        changed(lambda body: body["spec"].pop("activeDeadlineSeconds")),
        "`activeDeadlineSeconds` of at most",
    ),
    "a longer time": (
        changed(lambda body: body["spec"].update(activeDeadlineSeconds=7 * 3600)),
        "`activeDeadlineSeconds` of at most",
    ),
    "a literal approval": (
        changed(lambda body: container(body)["env"].append({"name": "APPROVED_BY", "value": "another"})),
        "APPROVED_BY from the annotation",
    ),
    "another registry": (
        changed(lambda body: container(body)["env"].append({"name": "MLFLOW_TRACKING_URI", "value": "x"})),
        "variables only from the ConfigMap",
    ),
    "variables of another ConfigMap": (
        changed(lambda body: container(body)["envFrom"].append({"configMapRef": {"name": "mine"}})),
        "variables only from the ConfigMap",
    ),
    "files of another ConfigMap": (
        changed(lambda body: pod_of(body)["volumes"].append({"name": "a", "configMap": {"name": "mine"}})),
        "volumes only of emptyDir",
    ),
    "another service account": (
        changed(lambda body: pod_of(body).update(serviceAccountName="default")),
        "the service account is promoter or importer",
    ),
    "a promotion with the network of imports": (
        changed(
            lambda body: body["spec"]["template"]["metadata"]["labels"].update(
                {"ai-platform/release-job": "importer"}
            )
        ),
        "the label ai-platform/release-job has its name",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_job_is_refused(cluster: Cluster, name: str) -> None:
    body, error = REFUSED[name]
    message = cluster.refusal(body, MANAGER, RELEASE)
    assert "ai-platform: jobs: " in message, message or "it was admitted"
    assert error in message


def test_a_user_outside_of_the_release_group_creates_no_job(cluster: Cluster) -> None:
    message = cluster.refusal(approved_by(STRANGER[0]), STRANGER, RELEASE)
    assert "forbidden" in message


def test_a_user_with_other_rights_in_the_namespace_does_not_approve(cluster: Cluster) -> None:
    """A right to create Jobs is no right to approve."""
    api = "rbac.authorization.k8s.io"
    where = f"/apis/{api}/v1/namespaces/{RELEASE}"
    rule = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}
    cluster.create(f"{where}/roles", {"metadata": {"name": "jobs"}, "rules": [rule]})
    subjects = [{"kind": "User", "name": "operator", "apiGroup": api}]
    reference = {"kind": "Role", "name": "jobs", "apiGroup": api}
    cluster.create(
        f"{where}/rolebindings", {"metadata": {"name": "jobs"}, "subjects": subjects, "roleRef": reference}
    )
    refusal = lambda: cluster.refusal(approved_by("operator"), ("operator", ""), RELEASE)  # noqa: E731
    assert until(lambda: "ai-platform: jobs" in refusal())
    assert "a member of the release group" in refusal()


def test_pods_come_from_jobs_alone(cluster: Cluster) -> None:
    body = job()
    template = body["spec"]["template"]
    bare: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", **template["metadata"]},
        "spec": template["spec"],
    }
    assert "a Job as its creator" in cluster.refusal(bare, ADMIN, RELEASE), "an administrator, too"
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "promote", "uid": "0", "controller": True}
    owned = {**bare, "metadata": {**bare["metadata"], "ownerReferences": [owner]}}
    assert cluster.refusal(owned, CONTROLLER, RELEASE) == ""


@pytest.fixture(scope="module")
def running(cluster: Cluster) -> tuple[str, Object]:
    """The path of a Pod that the Job controller created for an admitted Job, and the Pod."""
    body = job()
    body["metadata"]["name"] = "admitted"
    status, text, _ = cluster.request("POST", f"/apis/batch/v1/namespaces/{RELEASE}/jobs", body, MANAGER)
    assert status == 201, text
    where = f"/api/v1/namespaces/{RELEASE}/pods"

    def pods() -> list[Object]:
        selector = "?labelSelector=batch.kubernetes.io/job-name%3Dadmitted"
        return json.loads(cluster.request("GET", where + selector)[1])["items"]

    assert until(pods), "the Job controller passes the policies"
    [pod] = pods()
    return f"{where}/{pod['metadata']['name']}", pod


def test_a_pod_stays_what_it_was_admitted_as(cluster: Cluster, running: tuple[str, Object]) -> None:
    path, pod = running
    containers = copy.deepcopy(pod["spec"]["containers"])
    containers[0]["image"] = "registry.example/other@sha256:" + "1" * 64
    changes: dict[str, Object] = {
        "the image that the Pod was admitted with": {"spec": {"containers": containers}},
        f"the annotation {APPROVED_BY}": {"metadata": {"annotations": {APPROVED_BY: "another"}}},
        "the label ai-platform/release-job": {
            "metadata": {"labels": {"ai-platform/release-job": "importer"}}
        },
    }
    for message, change in changes.items():
        status, text, _ = cluster.request("PATCH", path, change)
        assert (status, message in text) == (403, True), text
    # What controllers and operators may change.
    for change in ({"metadata": {"labels": {"note": "seen"}}}, {"spec": {"activeDeadlineSeconds": 60}}):
        status, text, _ = cluster.request("PATCH", path, change)
        assert status == 200, text


def test_a_job_of_a_former_image_can_end(cluster: Cluster, running: tuple[str, Object]) -> None:
    """Its finalizers are removed when it is deleted, also after the store got another image."""
    path = f"/apis/batch/v1/namespaces/{RELEASE}/jobs/admitted"
    name = "ai-platform-release-jobs"
    policies = f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{name}"
    before = json.loads(cluster.request("GET", policies)[1])["spec"]["validations"]
    other = json.loads(json.dumps(before).replace("0" * 64, "1" * 64))
    assert other != before
    cluster.request("PATCH", policies, {"spec": {"validations": other}})
    ends = {"metadata": {"finalizers": ["example.com/mine"]}}

    def labelled() -> int:
        # Another value each time: an update that changes nothing passes.
        change = {"metadata": {"labels": {"note": f"at-{time.monotonic_ns()}"}}}
        return cluster.request("PATCH", path, change)[0]

    try:
        assert until(lambda: labelled() == 403), "it has the image of before"
        status, text, _ = cluster.request("PATCH", path, ends)
        assert status == 200, text
    finally:
        cluster.request("PATCH", path, {"metadata": {"finalizers": None}})
        cluster.request("PATCH", policies, {"spec": {"validations": before}})


def test_nothing_else_runs_in_a_pod(cluster: Cluster, running: tuple[str, Object]) -> None:
    path, pod = running
    context = pod["spec"]["containers"][0]["securityContext"]
    shell: Object = {
        "name": "shell",
        "image": "busybox",
        "targetContainerName": "model-release",
        # Pod Security admits it.
        "securityContext": context,
    }
    attempts = [
        ("PATCH", f"{path}/ephemeralcontainers", {"spec": {"ephemeralContainers": [shell]}}),
        ("POST", f"{path}/exec?command=sh&stdout=true", None),
        ("POST", f"{path}/attach?stdout=true", None),
    ]
    for method, place, body in attempts:
        status, text, _ = cluster.request(method, place, body)
        assert status == 403, f"{place}: {text}"
        assert "no ephemeral containers and no commands in Pods" in text, text


def test_no_user_gets_a_token_of_the_service_accounts(cluster: Cluster) -> None:
    api = "rbac.authorization.k8s.io"
    where = f"/apis/{api}/v1/namespaces/{RELEASE}"
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    cluster.create(f"{where}/roles", {"metadata": {"name": "tokens"}, "rules": [rule]})
    subjects = [{"kind": "User", "name": "thief", "apiGroup": api}]
    reference = {"kind": "Role", "name": "tokens", "apiGroup": api}
    cluster.create(
        f"{where}/rolebindings", {"metadata": {"name": "tokens"}, "subjects": subjects, "roleRef": reference}
    )
    path = f"/api/v1/namespaces/{RELEASE}/serviceaccounts/promoter/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["a"]}}
    ask = lambda user: cluster.request("POST", path, body, user)  # noqa: E731
    assert until(lambda: "no tokens of its service accounts" in ask(("thief", ""))[1])
    node = ("system:node:a", "system:nodes")
    assert "no tokens of its service accounts" not in ask(node)[1], "the kubelet requests those of Pods"

"""The guardrails on a real API server: what they refuse, and what users and controllers need."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from aiplatform.guardrails.args import POLICIES
from tests.end_to_end.guardrails import (
    ADMIN,
    Cluster,
    Object,
    control_plane_of,
    guardrails,
    namespace,
    until,
)

pytestmark = pytest.mark.end_to_end

GPU: Final = {"nvidia.com/gpu": "8"}
QUEUE: Final = {"kueue.x-k8s.io/queue-name": "default", "cost-center": "42"}
DIGEST: Final = f"@sha256:{'0' * 64}"
IMAGE: Final = f"registry.acme.com/train:1{DIGEST}"
SETTINGS: Final[Mapping[str, Any]] = {
    "system_namespaces": ["argo", "kuberay-operator", "kubeflow-system"],
    "pod_creators": ["system:serviceaccount:jupyterhub:hub"],
    "allowed_registries": ["registry.acme.com", "quay.io/argoproj"],
    "require_digests": True,
    "digest_exceptions": ["quay.io/argoproj"],
    "fabric_namespaces": {"fabric": {"host_paths": ["/dev/infiniband"], "capabilities": ["IPC_LOCK"]}},
    "public_namespaces": ["gateway"],
    "required_labels": ["cost-center"],
}

DEVELOPER: Final = ("dana", "team-a-developers")
INSIDER: Final = ("ivan", "team-a-insiders")
"""A user with every right in the team's namespaces: what holds them back is not RBAC."""


def account(where: str, name: str) -> tuple[str, str]:
    return (f"system:serviceaccount:{where}:{name}", "")


CONTROLLER: Final = account("kube-system", "job-controller")
JOBSET: Final = account("jobset-system", "jobset-controller-manager")
KUEUE: Final = account("kueue-system", "kueue-controller-manager")
LWS: Final = account("lws-system", "lws-controller-manager")
ARGO: Final = account("argo", "argo-workflow-controller")
RAY: Final = account("kuberay-operator", "kuberay-operator")
HUB: Final = account("jupyterhub", "hub")
NEIGHBOUR: Final = account("team-b", "runner")


def spec(resources: Mapping[str, str] | None = None, **more: Any) -> Object:
    """The specification of a Pod that the Pod Security level `restricted` allows."""
    container: Object = {
        "name": "main",
        "image": IMAGE,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if resources:
        container["resources"] = {"limits": dict(resources), "requests": dict(resources)}
    container.update(more.pop("container", {}))
    return {"restartPolicy": "Never", "containers": [container], **more}


def meta(labels: Mapping[str, str] | None = None, owner: str = "", **more: Any) -> Object:
    owners = [{"apiVersion": "x/v1", "kind": owner, "name": "o", "uid": "1", "controller": True}]
    return {
        "generateName": "x-",
        "labels": {"cost-center": "42", **(labels or {})},
        **({"ownerReferences": owners} if owner else {}),
        **more,
    }


def pod(pod_spec: Object, *args: Any, **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta(*args, **more), "spec": pod_spec}


def job(pod_spec: Object, *args: Any, **more: Any) -> Object:
    template = {"spec": pod_spec}
    body = {"template": template, "backoffLimit": 0}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta(*args, **more), "spec": body}


def cron_job(pod_spec: Object, labels: Mapping[str, str] | None = None) -> Object:
    template = {"metadata": {"labels": dict(labels or {})}, "spec": {"template": {"spec": pod_spec}}}
    body = {"schedule": "0 4 * * *", "jobTemplate": template}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta(), "spec": body}


def controlled(kind: str, pod_spec: Object, *args: Any, **more: Any) -> Object:
    """A Deployment, StatefulSet, DaemonSet or ReplicaSet."""
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {**pod_spec, "restartPolicy": "Always"}}
    body = {"selector": {"matchLabels": labels}, "template": template}
    if kind == "StatefulSet":
        body["serviceName"] = "x"
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta(*args, **more), "spec": body}


def job_set(pod_spec: Object, *args: Any, **more: Any) -> Object:
    body = {"replicatedJobs": [{"name": "w", "template": {"spec": {"template": {"spec": pod_spec}}}}]}
    return custom("jobset.x-k8s.io/v1alpha2", "JobSet", body, *args, **more)


def group_set(pod_spec: Object, *args: Any) -> Object:
    body = {"leaderWorkerTemplate": {"size": 2, "workerTemplate": {"spec": pod_spec}}}
    return custom("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", body, *args)


def ray_cluster(pod_spec: Object) -> Object:
    group = {"groupName": "gpu", "template": {"spec": pod_spec}}
    return {"headGroupSpec": {"template": {"spec": spec()}}, "workerGroupSpecs": [group]}


def ray(kind: str, pod_spec: Object, *args: Any) -> Object:
    cluster = ray_cluster(pod_spec)
    return custom("ray.io/v1", kind, cluster if kind == "RayCluster" else {"rayClusterSpec": cluster}, *args)


def train_job(*args: Any) -> Object:
    return custom("trainer.kubeflow.org/v1alpha1", "TrainJob", {"runtimeRef": {"name": "torch"}}, *args)


def custom(version: str, kind: str, body: Object, *args: Any, **more: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": meta(*args, **more), "spec": body}


def service(kind: str, annotations: Mapping[str, str] | None = None, **more: Any) -> Object:
    body = {"type": kind, "ports": [{"port": 80}], **more}
    metadata = meta(annotations=dict(annotations or {}))
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}


def ingress(annotations: Mapping[str, str] | None = None, **more: Any) -> Object:
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    body = {"defaultBackend": backend, **more}
    metadata = meta(annotations=dict(annotations or {}))
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": body}


LOCAL_QUEUE: Final = custom("kueue.x-k8s.io/v1beta2", "LocalQueue", {"clusterQueue": "team-b"})
CLAIM: Final = {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]}
ON_GPU_NODES: Final = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
NO_QUEUE: Final = "requests an accelerator, or its runtime does, without a queue"
NOT_A_TEAM: Final = "expected a team's namespace"
FORGED: Final = "only controllers create or change what another workload controls"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        running.apply(guardrails(**SETTINGS))
        running.apply(
            namespace("team-a", cloud="aws", queues=["default"], members={"developer": [DEVELOPER[1]]})
        )
        running.apply(namespace("team-b", cloud="aws", queues=["default"], priority_classes=["serving"]))
        for name in ("scratch", "fabric", "gateway"):
            running.create("/api/v1/namespaces", {"metadata": {"name": name}})
        for name in ("team-a", "scratch", "fabric", "gateway"):
            _grant_everything(running, name)
        # Policies are enforced a moment after they are created.
        for name, case in REFUSED.items():
            assert until(lambda c=case: running.refusal(c[1], c[0], c[2])), f"{name} is not refused"
        yield running


def _grant_everything(cluster: Cluster, name: str) -> None:
    api = "rbac.authorization.k8s.io"
    where = f"/apis/{api}/v1/namespaces/{name}"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    cluster.create(f"{where}/roles", {"metadata": {"name": "insider"}, "rules": [rule]})
    subjects = [{"kind": "Group", "name": INSIDER[1], "apiGroup": api}]
    for controller in (CONTROLLER, JOBSET, KUEUE, LWS, ARGO, RAY, HUB, NEIGHBOUR):
        _, _, where_from, account_name = controller[0].split(":")
        subjects.append({"kind": "ServiceAccount", "name": account_name, "namespace": where_from})
    reference = {"kind": "Role", "name": "insider", "apiGroup": api}
    binding = {"metadata": {"name": "insider"}, "subjects": subjects, "roleRef": reference}
    cluster.create(f"{where}/rolebindings", binding)


Case = tuple[tuple[str, str], Object, str, str]

BYPASSES: Final[Mapping[str, Case]] = {
    "bare Pod": (INSIDER, pod(spec(GPU)), "team-a", "expected "),
    "bare Pod with a queue": (INSIDER, pod(spec(GPU), QUEUE), "team-a", "only controllers create Pods here"),
    "other namespace": (INSIDER, job(spec(GPU), QUEUE), "scratch", NOT_A_TEAM),
    "bare Pod in another namespace": (INSIDER, pod(spec(GPU), QUEUE), "scratch", NOT_A_TEAM),
    "queue of another team": (
        INSIDER,
        job(spec(GPU), {**QUEUE, "kueue.x-k8s.io/queue-name": "team-b"}),
        "team-a",
        "is no queue of this namespace",
    ),
    "queue that leads to another team's": (
        INSIDER,
        LOCAL_QUEUE,
        "team-a",
        "only the platform changes",
    ),
    "Deployment": (INSIDER, controlled("Deployment", spec(GPU)), "team-a", NO_QUEUE),
    "StatefulSet": (INSIDER, controlled("StatefulSet", spec(GPU)), "team-a", NO_QUEUE),
    "DaemonSet": (INSIDER, controlled("DaemonSet", spec(GPU), QUEUE), "team-a", "no queue for the acc"),
    "ReplicaSet": (INSIDER, controlled("ReplicaSet", spec(GPU), QUEUE), "team-a", "no queue for the acc"),
    "RayCluster": (INSIDER, ray("RayCluster", spec(GPU)), "team-a", NO_QUEUE),
    "RayJob": (INSIDER, ray("RayJob", spec(GPU)), "team-a", NO_QUEUE),
    "JobSet": (INSIDER, job_set(spec(GPU)), "team-a", NO_QUEUE),
    "LeaderWorkerSet": (INSIDER, group_set(spec(GPU)), "team-a", NO_QUEUE),
    "TrainJob": (INSIDER, train_job(), "team-a", NO_QUEUE),
    "CronJob": (INSIDER, cron_job(spec(GPU)), "team-a", NO_QUEUE),
    "Job without label": (INSIDER, job(spec(GPU)), "team-a", NO_QUEUE),
    "Job without label by a developer": (DEVELOPER, job(spec(GPU)), "team-a", NO_QUEUE),
    "accelerator of an init container": (
        INSIDER,
        job({**spec(), "initContainers": [{**spec(GPU)["containers"][0], "name": "init"}]}),
        "team-a",
        NO_QUEUE,
    ),
    "partition of a GPU": (INSIDER, job(spec({"nvidia.com/mig-1g.10gb": "1"})), "team-a", NO_QUEUE),
    "TPU": (INSIDER, job(spec({"google.com/tpu": "4"})), "team-a", NO_QUEUE),
    "Neuron core": (INSIDER, job(spec({"aws.amazon.com/neuroncore": "2"})), "team-a", NO_QUEUE),
    "device class as a resource": (
        INSIDER,
        job(spec({"deviceclass.resource.kubernetes.io/gpu.nvidia.com": "1"})),
        "team-a",
        NO_QUEUE,
    ),
    "ResourceClaim": (INSIDER, job(spec(None, **CLAIM), QUEUE), "team-a", "no quota counts them"),
    "forged owner": (INSIDER, job(spec(GPU), QUEUE, owner="JobSet"), "team-a", FORGED),
    "forged owner of CPUs": (INSIDER, job(spec(), owner="JobSet"), "team-a", FORGED),
    "forged owner of a ReplicaSet": (
        INSIDER,
        controlled("ReplicaSet", spec(), owner="Deployment"),
        "team-a",
        FORGED,
    ),
    "forged owner that is a Pod": (
        INSIDER,
        controlled("StatefulSet", spec(GPU), QUEUE, owner="Pod"),
        "team-a",
        FORGED,
    ),
    "another team's service account": (NEIGHBOUR, job(spec(GPU)), "team-a", NO_QUEUE),
    "node with accelerators without one": (
        INSIDER,
        job(spec(None, **ON_GPU_NODES)),
        "team-a",
        "expected no toleration",
    ),
    "toleration of every taint": (
        INSIDER,
        job(spec(None, tolerations=[{"operator": "Exists"}])),
        "team-a",
        "expected no toleration",
    ),
    "node by its name": (INSIDER, job(spec(None, nodeName="gpu-1")), "team-a", "nodeName"),
    "priority class of the system": (
        INSIDER,
        job(spec(GPU, priorityClassName="system-cluster-critical"), QUEUE),
        "team-a",
        "priorityClassName: not for this namespace",
    ),
    "priority class of serving": (
        INSIDER,
        job(spec(GPU, priorityClassName="serving"), QUEUE),
        "team-a",
        "priorityClassName: not for this namespace",
    ),
    "priority class in the queue": (
        INSIDER,
        job(spec(GPU), {**QUEUE, "kueue.x-k8s.io/priority-class": "serving"}),
        "team-a",
        "kueue.x-k8s.io/priority-class is not for this namespace",
    ),
    "step of a workflow": (ARGO, pod(spec(GPU), owner="Workflow"), "team-a", NO_QUEUE),
}
"""Ways past the quota: user, object, namespace, and part of the error."""


def hardened(**context: Any) -> Object:
    base = copy.deepcopy(spec())
    base["containers"][0]["securityContext"].update(context)
    return base


def image(name: str) -> Object:
    return spec(container={"image": name})


def host_path(path: str) -> Object:
    return spec(volumes=[{"name": "v", "hostPath": {"path": path}}])


SCHEME: Final = "service.beta.kubernetes.io/aws-load-balancer-scheme"
PUBLIC: Final = "would be public"
REFUSED: Final[Mapping[str, Case]] = {
    "no tag": (INSIDER, job(image("registry.acme.com/train")), "team-a", "no tag, or the tag"),
    "port and no tag": (
        INSIDER,
        job(image("registry.acme.com:5000/x")),
        "team-a",
        "no tag, or the tag",
    ),
    "latest": (INSIDER, job(image("registry.acme.com/train:latest")), "team-a", "no tag, or the tag"),
    "other registry": (INSIDER, job(image(f"evil.com/train:1{DIGEST}")), "team-a", "registry is not allowed"),
    "registry that begins alike": (
        INSIDER,
        job(image(f"registry.acme.com.evil.com/train:1{DIGEST}")),
        "team-a",
        "registry is not allowed",
    ),
    "no digest": (INSIDER, job(image("registry.acme.com/train:1")), "team-a", "no digest"),
    "image of a volume": (
        INSIDER,
        job(spec(volumes=[{"name": "v", "image": {"reference": "evil.com/model:1"}}])),
        "team-a",
        "registry is not allowed",
    ),
    "image in a JobSet": (INSIDER, job_set(image("evil.com/train:1")), "team-a", "registry is not allowed"),
    "hostPath": (INSIDER, job(host_path("/etc")), "scratch", "hostPath is a folder of the node"),
    "hostPath of a fabric elsewhere": (INSIDER, job(host_path("/dev/infiniband")), "scratch", "hostPath is"),
    "another hostPath in a fabric": (INSIDER, job(host_path("/dev")), "fabric", "hostPath is a folder"),
    "capability": (
        INSIDER,
        job(hardened(capabilities={"add": ["SYS_ADMIN"]})),
        "fabric",
        "capabilities.add: not allowed here",
    ),
    "privileged": (
        INSIDER,
        job(hardened(privileged=True, allowPrivilegeEscalation=True)),
        "fabric",
        "a privileged container",
    ),
    "host network": (INSIDER, job(spec(hostNetwork=True)), "fabric", "expected neither"),
    "host port": (
        INSIDER,
        job(spec(container={"ports": [{"containerPort": 80, "hostPort": 80}]})),
        "scratch",
        "expected neither",
    ),
    "host processes": (INSIDER, job(spec(hostPID=True)), "scratch", "hostPID and hostIPC"),
    "public load balancer": (INSIDER, service("LoadBalancer"), "scratch", PUBLIC),
    "public by both annotations": (
        INSIDER,
        service(
            "LoadBalancer",
            {
                SCHEME: "internet-facing",
                "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
            },
        ),
        "scratch",
        PUBLIC,
    ),
    "public Ingress": (
        INSIDER,
        ingress({"alb.ingress.kubernetes.io/scheme": "internet-facing"}),
        "scratch",
        PUBLIC,
    ),
    "addresses of others": (
        INSIDER,
        service("ClusterIP", externalIPs=["192.0.2.1"]),
        "scratch",
        "spec.externalIPs redirects",
    ),
    "missing label": (
        INSIDER,
        {**job(spec()), "metadata": {"generateName": "x-"}},
        "team-a",
        "some are missing; expected cost-center",
    ),
    **BYPASSES,
}

ADMITTED: Final[Mapping[str, tuple[tuple[str, str], Object, str]]] = {
    "CPU Job": (DEVELOPER, job(spec({"cpu": "2", "memory": "64Gi"})), "team-a"),
    "Job in a queue": (DEVELOPER, job(spec(GPU), QUEUE), "team-a"),
    "Job in a queue with EFA": (
        DEVELOPER,
        job(spec({**GPU, "vpc.amazonaws.com/efa": "4"}), QUEUE),
        "team-a",
    ),
    "network card without a queue": (DEVELOPER, job(spec({"vpc.amazonaws.com/efa": "1"})), "team-a"),
    "Job on its nodes": (DEVELOPER, job(spec(GPU, **ON_GPU_NODES), QUEUE), "team-a"),
    "Job with a priority": (DEVELOPER, job(spec(GPU, priorityClassName="training"), QUEUE), "team-a"),
    "serving where it is allowed": (ADMIN, job(spec(GPU, priorityClassName="serving"), QUEUE), "team-b"),
    "Deployment": (DEVELOPER, controlled("Deployment", spec(GPU), QUEUE), "team-a"),
    "StatefulSet": (DEVELOPER, controlled("StatefulSet", spec(GPU), QUEUE), "team-a"),
    "CronJob": (DEVELOPER, cron_job(spec(GPU), QUEUE), "team-a"),
    "JobSet": (DEVELOPER, job_set(spec(GPU), QUEUE), "team-a"),
    "LeaderWorkerSet": (DEVELOPER, group_set(spec(GPU), QUEUE), "team-a"),
    "RayCluster": (DEVELOPER, ray("RayCluster", spec(GPU), QUEUE), "team-a"),
    "RayJob": (DEVELOPER, ray("RayJob", spec(GPU), QUEUE), "team-a"),
    "TrainJob": (DEVELOPER, train_job(QUEUE), "team-a"),
    "Job of a JobSet": (JOBSET, job(spec(GPU), owner="JobSet"), "team-a"),
    "Job of a JobSet on the nodes of its flavor": (
        JOBSET,
        job(spec(None, **ON_GPU_NODES), owner="JobSet"),
        "team-a",
    ),
    "workers of a LeaderWorkerSet": (LWS, controlled("StatefulSet", spec(GPU), owner="Pod"), "team-a"),
    "RayCluster of a RayJob": (
        RAY,
        {**ray("RayCluster", spec(GPU)), "metadata": meta(owner="RayJob")},
        "team-a",
    ),
    "Pod of a Job": (CONTROLLER, pod(spec(GPU), owner="Job"), "team-a"),
    "Pod of a StatefulSet": (CONTROLLER, pod(spec(GPU), owner="StatefulSet"), "team-a"),
    "Pod of a Deployment": (CONTROLLER, pod(spec(GPU), QUEUE, owner="ReplicaSet"), "team-a"),
    "worker of a RayCluster": (RAY, pod(spec(GPU), owner="RayCluster"), "team-a"),
    "step of a workflow": (
        ARGO,
        pod(image("quay.io/argoproj/argoexec:v4.0.6"), owner="Workflow"),
        "team-a",
    ),
    "step of a workflow in a queue": (ARGO, pod(spec(GPU), QUEUE, owner="Workflow"), "team-a"),
    "notebook": (HUB, pod(spec(GPU), QUEUE), "team-a"),
    "hostPath of the fabric": (INSIDER, job(host_path("/dev/infiniband")), "fabric"),
    "capability of the fabric": (INSIDER, job(hardened(capabilities={"add": ["IPC_LOCK"]})), "fabric"),
    "internal load balancer": (INSIDER, service("LoadBalancer", {SCHEME: "internal"}), "scratch"),
    "public load balancer of the gateway": (INSIDER, service("LoadBalancer"), "gateway"),
    "service": (INSIDER, service("ClusterIP"), "scratch"),
    "Ingress": (INSIDER, ingress(), "scratch"),
    "anything in kube-system": (ADMIN, pod({**host_path("/"), "hostNetwork": True}), "kube-system"),
}


@pytest.mark.parametrize("name", BYPASSES)
def test_a_way_past_the_quota_is_refused_with_the_platforms_error(cluster: Cluster, name: str) -> None:
    user, body, where, error = BYPASSES[name]
    message = cluster.refusal(body, user, where)
    assert "ai-platform: " in message, message or "it was admitted"
    assert error in message


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in BYPASSES])
def test_what_violates_a_policy_is_refused_with_the_platforms_error(cluster: Cluster, name: str) -> None:
    user, body, where, error = REFUSED[name]
    message = cluster.refusal(body, user, where)
    assert error in message, message or "it was admitted"


@pytest.mark.parametrize("name", ADMITTED)
def test_what_users_and_controllers_need_is_admitted(cluster: Cluster, name: str) -> None:
    user, body, where = ADMITTED[name]
    assert cluster.refusal(body, user, where) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"kueue.x-k8s.io/managed-namespace": "true"}},
        {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        {"labels": {"resource.kubernetes.io/admin-access": "true"}},
        {"annotations": {"ai-platform/queues": "default,team-b"}},
        {"annotations": {"ai-platform/priority-classes": "serving"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["scratch", "team-a"])
def test_a_team_cannot_change_by_what_its_namespace_is_controlled(
    cluster: Cluster, name: str, change: Object
) -> None:
    if name == "team-a" and "managed-namespace" in str(change):
        change = {"labels": {"kueue.x-k8s.io/managed-namespace": None}}
    path = f"/api/v1/namespaces/{name}?dryRun=All"
    status, text, _ = cluster.request("PATCH", path, {"metadata": change}, INSIDER)
    assert status == 403, text
    assert "only the platform sets those" in text
    assert cluster.request("PATCH", path, {"metadata": change}, ADMIN)[0] == 200, (
        "a principal that may escalate cluster roles is the platform"
    )
    harmless = {"metadata": {"labels": {"topic": "vision"}}}
    assert cluster.request("PATCH", path, harmless, INSIDER)[0] == 200


def test_the_pods_of_a_real_job_and_deployment_are_created(cluster: Cluster) -> None:
    body = job(spec(GPU), QUEUE)
    created = cluster.create("/apis/batch/v1/namespaces/team-a/jobs", body)
    deployment = controlled("Deployment", spec(GPU), QUEUE)
    # As Kueue's webhook does.
    deployment["spec"]["template"]["metadata"]["labels"].update(QUEUE)
    other = cluster.create("/apis/apps/v1/namespaces/team-a/deployments", deployment)
    for owner in (created, other):
        name = owner["metadata"]["name"]
        assert until(lambda n=name: _pods(cluster, n)), f"{name} has no Pod"


def _pods(cluster: Cluster, prefix: str) -> list[str]:
    _, text, _ = cluster.request("GET", "/api/v1/namespaces/team-a/pods")
    names = [item["metadata"]["name"] for item in json.loads(text)["items"]]
    return [name for name in names if name.startswith(prefix)]


def test_only_kueue_removes_the_gates_of_a_pod(cluster: Cluster) -> None:
    gates = [{"name": "kueue.x-k8s.io/admission"}, {"name": "team/data"}]
    body = pod(spec(GPU, schedulingGates=gates), QUEUE)
    status, text, _ = cluster.request("POST", "/api/v1/namespaces/team-a/pods", body, HUB)
    assert status == 201, text
    path = f"/api/v1/namespaces/team-a/pods/{json.loads(text)['metadata']['name']}"
    for user, left, expected in (
        (INSIDER, gates[1:], 403),
        (INSIDER, gates[:1], 200),
        (ADMIN, [], 403),
        (KUEUE, [], 200),
    ):
        change = {"spec": {"schedulingGates": left}}
        status, text, _ = cluster.request("PATCH", f"{path}?dryRun=All", change, user)
        assert status == expected, (user, text)


def test_a_child_of_a_workload_is_changed_by_controllers_only(cluster: Cluster) -> None:
    path = "/apis/batch/v1/namespaces/team-a/jobs"
    body = job(spec(GPU), owner="JobSet")
    body["spec"]["suspend"] = True
    status, text, _ = cluster.request("POST", path, body, JOBSET)
    assert status == 201, text
    child = f"{path}/{json.loads(text)['metadata']['name']}?dryRun=All"
    status, text, _ = cluster.request("PATCH", child, {"spec": {"suspend": False}}, INSIDER)
    assert status == 403, "it would start before its JobSet is admitted"
    assert FORGED in text
    assert cluster.request("PATCH", child, {"spec": {"suspend": False}}, JOBSET)[0] == 200


def test_what_ran_before_a_policy_may_still_be_scaled_and_deleted(cluster: Cluster) -> None:
    bad = controlled("Deployment", image("evil.com/old:1"))
    bad["metadata"] = {"name": "old", "finalizers": ["example.com/wait"]}
    policy = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/ai-platform-images"
    binding = json.loads(cluster.request("GET", policy)[1])
    assert cluster.request("DELETE", policy)[0] == 200
    path = "/apis/apps/v1/namespaces/scratch/deployments"
    assert until(lambda: cluster.request("POST", path, bad, INSIDER)[0] == 201)
    for key in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        binding["metadata"].pop(key, None)
    cluster.create(policy.rpartition("/")[0], binding)
    probe = controlled("Deployment", image("evil.com/new:1"))
    assert until(lambda: cluster.refusal(probe, INSIDER, "scratch"))
    annotation = {"metadata": {"annotations": {"checked": "yes"}}}
    assert cluster.request("PATCH", f"{path}/old", annotation, INSIDER)[0] == 200
    assert cluster.request("DELETE", f"{path}/old", None, INSIDER)[0] == 200
    without = {"metadata": {"finalizers": None}}
    assert cluster.request("PATCH", f"{path}/old", without, INSIDER)[0] == 200, "its finalizer can be removed"


def test_a_developer_creates_no_pods_and_reads_no_secrets(cluster: Cluster) -> None:
    where = "/api/v1/namespaces/team-a"
    for method, path, body in (
        ("POST", f"{where}/pods?dryRun=All", pod(spec())),
        ("GET", f"{where}/secrets", None),
        ("POST", f"{where}/serviceaccounts/default/token", {"spec": {}}),
        ("PATCH", where, {"metadata": {"labels": {"topic": "vision"}}}),
        ("GET", "/api/v1/namespaces/team-b/pods", None),
        ("POST", "/apis/networking.k8s.io/v1/namespaces/team-a/networkpolicies", {"spec": {}}),
    ):
        status, text, _ = cluster.request(method, path, body, DEVELOPER)
        assert status == 403, (method, path, text)
    assert cluster.request("GET", f"{where}/pods", None, DEVELOPER)[0] == 200


def test_containers_without_requests_get_them_and_others_keep_theirs(cluster: Cluster) -> None:
    for resources, expected in (
        (None, {"cpu": "100m", "memory": "256Mi"}),
        ({"memory": "64Gi"}, {"cpu": "100m", "memory": "64Gi"}),
    ):
        base = spec()
        if resources:
            base["containers"][0]["resources"] = {"requests": resources}
        path = "/api/v1/namespaces/team-a/pods?dryRun=All"
        status, text, _ = cluster.request("POST", path, pod(base, owner="Job"), CONTROLLER)
        assert status == 201, text
        assert json.loads(text)["spec"]["containers"][0]["resources"] == {"requests": expected}


def test_every_expression_is_of_the_right_type_for_every_kind(cluster: Cluster) -> None:
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"

    def statuses() -> dict[str, Any]:
        """Return the statuses of the policies, once all are checked."""
        items = json.loads(cluster.request("GET", path)[1])["items"]
        by_name = {item["metadata"]["name"]: item.get("status", {}) for item in items}
        return by_name if all("typeChecking" in status for status in by_name.values()) else {}

    checked = until(statuses)
    assert len(checked) == 9
    warnings = {
        name: status["typeChecking"].get("expressionWarnings")
        for name, status in checked.items()
        if status["typeChecking"].get("expressionWarnings")
    }
    assert not warnings, warnings


def test_a_warning_admits_and_reaches_the_client(cluster: Cluster) -> None:
    binding = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/ai-platform-images"
    assert cluster.request("PATCH", binding, {"spec": {"validationActions": ["Warn", "Audit"]}})[0] == 200
    body = job(image("registry.acme.com/train:1"))

    def answer() -> str:
        path = "/apis/batch/v1/namespaces/team-a/jobs?dryRun=All"
        status, _, headers = cluster.request("POST", path, body, DEVELOPER)
        return headers.get("Warning", "") if status == 201 else ""

    assert "no digest" in until(answer)


GOOGLE_REFUSED: Final = {
    "load balancer": service("LoadBalancer"),
    "load balancer with another cloud's annotation": service("LoadBalancer", {SCHEME: "internal"}),
    "Ingress without a class": ingress(),
    "Ingress of class gce": ingress({"kubernetes.io/ingress.class": "gce"}),
    "external Gateway": custom(
        "gateway.networking.k8s.io/v1", "Gateway", {"gatewayClassName": "gke-l7-global-external-managed"}
    ),
}
GOOGLE_ADMITTED: Final = {
    "load balancer": service("LoadBalancer", {"networking.gke.io/load-balancer-type": "Internal"}),
    "load balancer as before": service("LoadBalancer", {"cloud.google.com/load-balancer-type": "Internal"}),
    "Ingress": ingress({"kubernetes.io/ingress.class": "gce-internal"}),
    "Ingress of another controller": ingress(ingressClassName="envoy"),
    "Gateway": custom("gateway.networking.k8s.io/v1", "Gateway", {"gatewayClassName": "gke-l7-rilb"}),
}


def test_public_addresses_on_gke_are_refused(cluster: Cluster) -> None:
    root = "/apis/admissionregistration.k8s.io/v1"
    for collection in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        cluster.request("DELETE", f"{root}/{collection}/ai-platform-public-addresses")
    others = {name: "off" for name in POLICIES if name != "public-addresses"}
    cluster.apply(guardrails(cloud="gcp", policies=others, priority_classes={}))
    for name, body in GOOGLE_REFUSED.items():
        message = until(lambda b=body: cluster.refusal(b, INSIDER, "scratch"))
        assert PUBLIC in message, name
    for name, body in GOOGLE_ADMITTED.items():
        assert cluster.refusal(body, INSIDER, "scratch") == "", name

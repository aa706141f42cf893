"""Objects that users and controllers create, for tests of the guardrails."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.end_to_end.guardrails import Object

GPU: Final = {"nvidia.com/gpu": "8"}
QUEUE: Final = {"kueue.x-k8s.io/queue-name": "default", "cost-center": "42"}
DIGEST: Final = f"@sha256:{'0' * 64}"
IMAGE: Final = f"registry.acme.com/train:1{DIGEST}"


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


def initial(resources: Mapping[str, str], **more: Any) -> Object:
    """The specification of a Pod with accelerators, and with an init container that has these resources."""
    container = {**spec(resources)["containers"][0], "name": "init", **more}
    return {**spec(GPU), "initContainers": [container]}


def sidecar(resources: Mapping[str, str]) -> Object:
    """The same with a native sidecar."""
    return initial(resources, restartPolicy="Always")


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


def large_job_set(placed: Callable[[Object], Object]) -> Object:
    """A JobSet in a queue of 100 Jobs whose Pods have many containers, volumes and tolerations. placed: what
    adds to the specification of each."""
    large = placed(
        spec(
            {**GPU, "cpu": "4", "memory": "64Gi"},
            volumes=[{"name": f"v-{number}", "emptyDir": {}} for number in range(20)],
            tolerations=[{"key": f"pool-{number}", "operator": "Exists"} for number in range(20)],
        )
    )
    container = large["containers"][0]
    large["containers"] = [{**container, "name": f"c-{number}"} for number in range(10)]
    body = job_set(large, QUEUE)
    body["spec"]["replicatedJobs"] = [
        {**body["spec"]["replicatedJobs"][0], "name": f"job-{number}"} for number in range(100)
    ]
    return body


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


def hardened(**context: Any) -> Object:
    base = copy.deepcopy(spec())
    base["containers"][0]["securityContext"].update(context)
    return base


def image(name: str) -> Object:
    return spec(container={"image": name})


def host_path(path: str) -> Object:
    return spec(volumes=[{"name": "v", "hostPath": {"path": path}}])

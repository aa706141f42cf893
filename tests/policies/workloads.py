"""Workloads of Kubernetes for the specs: what a pod is, in whatever it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.pack import Resource
from tests.policies.spec import resource


def container(name: str = "server", **more: Any) -> dict[str, Any]:
    """A container with an image of its own."""
    return {"name": name, "image": f"registry.k8s.io/pause:3.10@sha256:{'0' * 64}", **more}


def pod(*containers: Any, **more: Any) -> dict[str, Any]:
    """A pod's spec."""
    return {"containers": list(containers or (container(),)), **more}


def metadata(namespace: Any = "serving", name: str = "server", **more: Any) -> dict[str, Any]:
    """An object's metadata."""
    return {"name": name, "namespace": namespace, **more}


def deployment(
    *containers: Any,
    namespace: Any = "serving",
    replicas: Any = None,
    kind: str = "Deployment",
    labels: Mapping[str, str] | None = None,
    name: str = "it",
    **more: Any,
) -> Resource:
    """A Deployment, or another kind of apps/v1. more: of the pod's spec."""
    template = {"metadata": {"labels": dict(labels or {"app": "server"})}, "spec": pod(*containers, **more)}
    spec: dict[str, Any] = {"template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    props = {"metadata": metadata(namespace), "spec": spec}
    return resource(f"kubernetes:apps/v1:{kind}", props, name=name)


def agent(*containers: Any, namespace: Any = "kube-system", **more: Any) -> Resource:
    """A DaemonSet of the system."""
    return deployment(*containers, namespace=namespace, kind="DaemonSet", **more)


def cron_job(*containers: Any, namespace: Any = "serving", **more: Any) -> Resource:
    """A CronJob."""
    template = {"spec": pod(*containers, **more)}
    props = {
        "metadata": metadata(namespace),
        "spec": {"jobTemplate": {"spec": {"template": template}}},
    }
    return resource("kubernetes:batch/v1:CronJob", props)


def lone_pod(*containers: Any, namespace: Any = "serving", **more: Any) -> Resource:
    """A Pod."""
    return resource(
        "kubernetes:core/v1:Pod", {"metadata": metadata(namespace), "spec": pod(*containers, **more)}
    )

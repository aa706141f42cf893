"""Kubernetes workloads for the specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.framework import Resource
from tests.policies.spec import resource


def container(name: str = "server", **more: Any) -> dict[str, Any]:
    """Return a container with a pinned image."""
    return {"name": name, "image": f"registry.k8s.io/pause:3.10@sha256:{'0' * 64}", **more}


def pod(*containers: Any, **more: Any) -> dict[str, Any]:
    """Return the spec of a pod."""
    return {"containers": list(containers or (container(),)), **more}


def metadata(namespace: Any = "serving", name: str = "server", **more: Any) -> dict[str, Any]:
    """Return the metadata of an object."""
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
    """Return a Deployment, or another kind of apps/v1. more: keys of the pod's spec."""
    template = {"metadata": {"labels": dict(labels or {"app": "server"})}, "spec": pod(*containers, **more)}
    spec: dict[str, Any] = {"template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    props = {"metadata": metadata(namespace), "spec": spec}
    return resource(f"kubernetes:apps/v1:{kind}", props, name=name)


def agent(*containers: Any, namespace: Any = "kube-system", **more: Any) -> Resource:
    """Return a node agent: a DaemonSet in a system namespace."""
    return deployment(*containers, namespace=namespace, kind="DaemonSet", **more)


def cron_job(*containers: Any, namespace: Any = "serving", **more: Any) -> Resource:
    """Return a CronJob."""
    template = {"spec": pod(*containers, **more)}
    props = {
        "metadata": metadata(namespace),
        "spec": {"jobTemplate": {"spec": {"template": template}}},
    }
    return resource("kubernetes:batch/v1:CronJob", props)


def lone_pod(*containers: Any, namespace: Any = "serving", **more: Any) -> Resource:
    """Return a Pod."""
    return resource(
        "kubernetes:core/v1:Pod", {"metadata": metadata(namespace), "spec": pod(*containers, **more)}
    )

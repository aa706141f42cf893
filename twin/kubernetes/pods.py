"""Small questions about Pods, asked all over the simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Pod = Mapping[str, Any]


def owner_kind(pod: Pod) -> str:
    """The kind of the controller that owns the Pod (`DaemonSet`, `ReplicaSet`, `Job`), or nothing."""
    for reference in pod["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference.get("kind", "")
    return ""


def node_of(pod: Pod) -> str:
    """The node that the Pod is bound to, or nothing."""
    return (pod.get("spec") or {}).get("nodeName") or ""


def phase(pod: Pod) -> str:
    """Pending, Running, Succeeded, Failed."""
    return (pod.get("status") or {}).get("phase") or "Pending"


def finished(pod: Pod) -> bool:
    """Whether it takes no resources any more."""
    return phase(pod) in {"Succeeded", "Failed"}


def leaving(pod: Pod) -> bool:
    """Whether it was deleted and is winding down."""
    return "deletionTimestamp" in pod["metadata"]


def condition(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of a Pod, a Node or a workload; empty where it was never set."""
    for status in (item.get("status") or {}).get("conditions") or ():
        if status.get("type") == kind:
            return status
    return {}


def ready(item: Mapping[str, Any]) -> bool:
    """Whether a Pod or a Node has the condition Ready, True."""
    return condition(item, "Ready").get("status") == "True"


def repository(image: str) -> str:
    """An image's repository, without tag and digest: `host:5000/a/b:v1@sha256:...` is `host:5000/a/b`."""
    bare = image.partition("@")[0]
    head, slash, tail = bare.rpartition("/")
    return head + slash + tail.partition(":")[0]


def selects(service: Mapping[str, Any], pod: Pod) -> bool:
    """Whether a Service's selector matches a Pod."""
    selector = service["spec"].get("selector") or {}
    labels = pod["metadata"].get("labels") or {}
    same = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return same and bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def by_node(pods: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Pods that are bound, by their node."""
    pods_of: dict[str, list[dict[str, Any]]] = {}
    for pod in pods:
        if node := node_of(pod):
            pods_of.setdefault(node, []).append(pod)
    return pods_of

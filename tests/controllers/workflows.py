"""Workflows of Argo, and what is known of their namespace when a test fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubernetes import client

from tests.controllers.cluster import Cluster
from twin.tests.waiting import eventually

ARGO: Final = "argoproj.io/v1alpha1"
_ENDS: Final = ("Succeeded", "Failed", "Error")
_LOG: Final = 2000
"""Characters of each log, the last ones."""


def workflow(name: str, template: str, namespace: str) -> dict[str, Any]:
    """Return a workflow of a template."""
    return {
        "apiVersion": ARGO,
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"workflowTemplateRef": {"name": template}},
    }


def steps(ended: dict[str, Any]) -> dict[str, str]:
    """Return step -> phase."""
    return {node["displayName"]: node["phase"] for node in ended["status"]["nodes"].values()}


def parameters(item: dict[str, Any]) -> dict[str, str]:
    """Return the parameters that a workflow states."""
    return {entry["name"]: entry["value"] for entry in item["spec"]["arguments"]["parameters"]}


class Workflows:
    """The workflows of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def workflows(self, namespace: str, template: str) -> list[dict[str, Any]]:
        """Return the workflows of a template."""
        items = self.cluster.list(ARGO, "Workflow", namespace)
        return [item for item in items if item["spec"]["workflowTemplateRef"]["name"] == template]

    def ended(self, namespace: str, name: str, seconds: float = 300) -> dict[str, Any]:
        """Wait for the end of a workflow, and return it."""
        item = {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"name": name, "namespace": namespace}}

        def status() -> Any:
            current = self.cluster.get(item)
            return current if (current.get("status") or {}).get("phase") in _ENDS else None

        return self.eventually(f"the end of {name}", status, seconds, namespace)

    def eventually(self, what: str, probe: Any, seconds: float, *namespaces: str) -> Any:
        """Wait for something. The failure has the state of namespaces."""
        try:
            return eventually(what, probe, seconds)
        except AssertionError as error:
            states = "\n".join(map(self.state, namespaces))
            raise AssertionError(f"{error}\n{states}") from error

    def state(self, namespace: str) -> str:
        """Return what is known of a namespace's workflows, for failures."""
        lines: list[str] = []
        for item in self.cluster.list(ARGO, "Workflow", namespace):
            status = item.get("status") or {}
            lines.append(f"{item['metadata']['name']} {status.get('phase')} {status.get('message', '')}")
            for node in (status.get("nodes") or {}).values():
                lines.append(f"  {node['displayName']} {node['phase']} {node.get('message', '')}")
        for pod in self.cluster.core.list_namespaced_pod(namespace).items:
            lines += self._pod(pod, namespace)
        for event in self.cluster.core.list_namespaced_event(namespace).items:
            lines.append(f"{event.involved_object.kind} {event.involved_object.name}: {event.message}")
        return "\n".join(lines)

    def _pod(self, pod: Any, namespace: str) -> Iterator[str]:
        yield f"--- {pod.metadata.name} {pod.status.phase} {pod.status.message or ''}"
        statuses = [*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())]
        for entry in statuses:
            state = entry.state.to_dict() if entry.state is not None else {}
            yield f"{entry.name} { ({key: value for key, value in state.items() if value}) }"
            if entry.name in ("init", "wait"):
                continue
            try:
                text = self.cluster.core.read_namespaced_pod_log(
                    pod.metadata.name, namespace, container=entry.name
                )
            except client.ApiException as error:
                text = str(error.reason)
            yield text[-_LOG:]

"""Pods and their containers, in every Kubernetes object that declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .policy import Option, Outcome, Violation, check_each
from .properties import Deferred, Entry
from .resource import Resource
from .values import UNKNOWN

PODS: Final[Mapping[str, str]] = {
    "kubernetes:core/v1:Pod": "spec",
    "kubernetes:core/v1:PodTemplate": "template.spec",
    "kubernetes:core/v1:ReplicationController": "spec.template.spec",
    "kubernetes:apps/v1:Deployment": "spec.template.spec",
    "kubernetes:apps/v1:StatefulSet": "spec.template.spec",
    "kubernetes:apps/v1:DaemonSet": "spec.template.spec",
    "kubernetes:apps/v1:ReplicaSet": "spec.template.spec",
    "kubernetes:batch/v1:Job": "spec.template.spec",
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
}
"""Type -> the property path of its pod's spec."""
WORKLOADS: Final = tuple(PODS)
REPLICATED: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
"""Workloads that may have several replicas."""
AGENTS: Final = "kubernetes:apps/v1:DaemonSet"
"""The type of node agents: device plugins, log collectors, storage drivers."""
AGENT_NAMESPACES: Final = Option(
    {"type": "array", "items": {"type": "string"}},
    ["kube-system"],
    "The namespaces whose DaemonSets are node agents, which are exempt.",
)
"""The option that names the namespaces for `is_agent`."""


@dataclass(frozen=True)
class Container(Entry):
    """A container of a pod."""

    pod: Entry

    @property
    def name(self) -> str:
        """Its name, for messages."""
        name = self.raw("name")
        return name if isinstance(name, str) else ""

    def security(self, key: str) -> Any:
        """Return a key of its security context, or else of its pod's. Raises Deferred where it is unknown."""
        value = self.known(f"securityContext.{key}")
        return self.pod.known(f"securityContext.{key}") if value is None else value


def pod(resource: Resource) -> Entry:
    """Return the spec of a workload's pods, an empty one where there is none. Raises Deferred where it is
    unknown."""
    path = PODS[resource.type]
    return Entry(path, resource.known(path) or {})


def containers(
    resource: Resource, kinds: tuple[str, ...] = ("initContainers", "containers")
) -> Iterator[Container | Deferred]:
    """Yield every container of a workload's pods; Deferred for unknown ones."""
    spec = pod(resource)
    for kind in kinds:
        try:
            for entry in spec.entries(kind):
                yield (
                    Deferred(entry.path) if entry.body is UNKNOWN else Container(entry.path, entry.body, spec)
                )
        except Deferred as deferred:
            yield deferred


def check_containers(
    resource: Resource, check: Callable[..., Iterator[Outcome]], *arguments: Any, agent_namespaces: Any = ()
) -> Iterator[Outcome]:
    """Apply a check to every container. agent_namespaces: the namespaces whose node agents are exempt."""
    if not is_agent(resource, agent_namespaces):
        yield from check_each(containers(resource), check, *arguments)


def check_images(resource: Resource, problem: Callable[[str], str | None]) -> Iterator[Outcome]:
    """Report the problem of the image that each container runs. problem: from the image's reference, such as
    `comes from 'docker.io/nginx'`, or None."""

    def check(container: Container) -> Iterator[Outcome]:
        reference = container.known("image")
        message = problem(reference) if reference else None
        if message:
            yield Violation(f"{container.path}.image", f"{container.name!r} {message}")

    return check_containers(resource, check)


def namespace(resource: Resource) -> Any:
    """Return the namespace of an object. Raises Deferred where it is unknown."""
    return resource.known("metadata.namespace") or resource.provider.get("namespace") or "default"


def is_agent(resource: Resource, namespaces: Any) -> bool:
    """Return whether a workload is a node agent: a DaemonSet in a system namespace. Agents need access to
    their nodes, and only the platform may create them there."""
    return resource.type == AGENTS and namespace(resource) in namespaces

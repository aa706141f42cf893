"""Pods and their containers, in whatever they are declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from .policy import Finding, Judgement, Option, Undecided
from .resource import Resource
from .values import UNKNOWN, at, each

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
"""Servers, of which there may be several."""
AGENTS: Final = "kubernetes:apps/v1:DaemonSet"
"""What node agents are: device plugins, log collectors, storage drivers."""
AGENT_NAMESPACES: Final = Option(
    {"type": "array", "items": {"type": "string"}},
    ["kube-system"],
    "The namespaces whose DaemonSets are node agents, which may do this.",
)
"""The option that `is_agent` asks for."""


@dataclass(frozen=True)
class Part:
    """A pod's spec, or one of its containers."""

    path: str
    """Its property path."""
    body: Mapping[str, Any]
    pod: Part | None = None
    """A container's pod."""

    def get(self, path: str) -> Any:
        """The value at a path below it: None where nothing is there, UNKNOWN where it is not known yet."""
        return at(self.body, path)

    @property
    def name(self) -> str:
        """What a message calls it."""
        return str(self.body.get("name", ""))

    def security(self, key: str) -> Any:
        """A key of a container's security context: its own word comes before its pod's."""
        own = self.get(f"securityContext.{key}")
        return self.pod.get(f"securityContext.{key}") if own is None and self.pod else own


def pods(resource: Resource) -> Iterator[Part | Undecided]:
    """The spec of a workload's pods: one, or Undecided, or none where nothing is said."""
    path = PODS[resource.type]
    body = resource.get(path)
    if body is UNKNOWN:
        yield Undecided(path)
    elif isinstance(body, Mapping):
        yield Part(path, cast("Mapping[str, Any]", body))


def containers(
    resource: Resource, kinds: tuple[str, ...] = ("initContainers", "containers")
) -> Iterator[Part | Undecided]:
    """Every container of a workload's pods."""
    for pod in pods(resource):
        if isinstance(pod, Undecided):
            yield pod
            continue
        for kind in kinds:
            listed, path = pod.get(kind), f"{pod.path}.{kind}"
            if listed is UNKNOWN:
                yield Undecided(path)
            for where, body in each(listed, path):
                if body is UNKNOWN:
                    yield Undecided(where)
                elif isinstance(body, Mapping):
                    yield Part(where, cast("Mapping[str, Any]", body), pod)


def in_containers(
    resource: Resource, judge: Callable[[Part], Iterator[Judgement]], *, agents: Any = ()
) -> Iterator[Judgement]:
    """What `judge` says of every container; one that is not known yet is Undecided. agents: the namespaces
    whose node agents (`is_agent`) are left alone."""
    if is_agent(resource, agents):
        return
    for container in containers(resource):
        if isinstance(container, Undecided):
            yield container
        else:
            yield from judge(container)


def in_images(resource: Resource, fault: Callable[[str], str | None]) -> Iterator[Judgement]:
    """What `fault` says of the image that each container runs, as `comes from 'docker.io/nginx'`: nothing
    where it is right."""

    def judge(container: Part) -> Iterator[Judgement]:
        path, reference = f"{container.path}.image", container.get("image")
        if reference is UNKNOWN:
            yield Undecided(path)
        elif reference and (told := fault(reference)):
            yield Finding(path, f"{container.name!r} {told}")

    return in_containers(resource, judge)


def namespace(resource: Resource) -> Any:
    """The namespace of an object, UNKNOWN where it is not known yet."""
    said = resource.get("metadata.namespace")
    if said is UNKNOWN:
        return UNKNOWN
    return said or resource.provider.get("namespace") or "default"


def is_agent(resource: Resource, namespaces: Any) -> bool:
    """Whether it is a node agent: a DaemonSet in a namespace of the system. They reach into their nodes, and
    nobody but the platform may make one there."""
    return resource.type == AGENTS and namespace(resource) in namespaces

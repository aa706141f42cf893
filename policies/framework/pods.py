"""Pods and their containers, in every Kubernetes object that declares them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, cast

from .pod_search import Container, Parts, search
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
"""Built-in type -> the property path of its pod's spec. In other types a Pod is found by its form."""
WORKLOADS: Final = ("kubernetes:",)
"""Every type of Kubernetes: custom resources and releases of charts declare Pods as well."""
REPLICATED: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
"""Workloads that may have several replicas."""
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
AGENTS: Final = ("kubernetes:apps/v1:DaemonSet", RELEASE)
"""The types of node agents: device plugins, log collectors, storage drivers. A release may be of one."""
AGENT_NAMESPACES: Final = Option(
    {"type": "array", "items": {"type": "string"}},
    ["kube-system"],
    "The namespaces whose DaemonSets and releases of charts are node agents, which are exempt.",
)
"""The option that names the namespaces for `is_agent`."""
_EVALUATED_BY_CHILDREN: Final = ("helm.sh/v3:Chart", "helm.sh/v4:Chart", "kustomize/", "yaml/")
"""Components, whose objects are resources and evaluated as such."""
_DESCRIPTIONS: Final = (
    "apiextensions.k8s.io/",
    "admissionregistration.k8s.io/",
    "constraints.gatekeeper.sh/",
    "kyverno.io/",
    "policies.kyverno.io/",
    "templates.gatekeeper.sh/",
)
"""API groups whose objects describe Pods, such as the patterns of a policy."""
_PARTIAL: Final = re.compile(r"Patch$|^kubernetes:serving\.kserve\.io/.*Runtime$")
"""Types whose containers are partial: a runtime of KServe has no security context and no service account of a
Pod, which its InferenceService states."""


def parts(resource: Resource) -> Parts:
    """Return the Pods of a Kubernetes object, their containers, security contexts and volumes. Raises
    Deferred where its Pod is unknown."""
    known = resource.memo.get("parts")
    if not isinstance(known, Parts):
        known = resource.memo["parts"] = _parts(resource)
    return known


def _parts(resource: Resource) -> Parts:
    if resource.type in PODS:
        return search(pod(resource))
    if not _may_declare_pods(resource.type):
        return Parts()
    if resource.type == RELEASE:
        return search(Entry("values", resource.raw("values")), values=True)
    return search(
        Entry("", resource.props),
        complete=_PARTIAL.search(resource.type) is None,
        workflow=resource.type.startswith("kubernetes:argoproj.io/"),
    )


@cache
def _may_declare_pods(token: str) -> bool:
    kind = token.removeprefix("kubernetes:")
    return not kind.startswith((*_EVALUATED_BY_CHILDREN, *_DESCRIPTIONS))


def pod(resource: Resource) -> Entry:
    """Return the spec of a built-in workload's pods, an empty one where there is none. Raises Deferred where
    it is unknown."""
    path = PODS[resource.type]
    return Entry(path, resource.known(path) or {})


def containers(
    resource: Resource, kinds: tuple[str, ...] = ("initContainers", "containers")
) -> Iterator[Container | Deferred]:
    """Yield every container of a built-in workload's pods in these lists; Deferred for unknown ones."""
    spec = f"{PODS[resource.type]}."
    for container in parts(resource).containers:
        if isinstance(container, Deferred) or container.path.removeprefix(spec).startswith(kinds):
            yield container


def check_containers(
    resource: Resource,
    check: Callable[..., Iterator[Outcome]],
    *arguments: Any,
    agent_namespaces: Any = (),
    complete: bool = False,
) -> Iterator[Outcome]:
    """Apply a check to every container.

    agent_namespaces: the namespaces whose node agents are exempt. complete: only to complete ones, for a
    check of what a container lacks.
    """
    if not is_agent(resource, agent_namespaces):
        checked = (
            container
            for container in parts(resource).containers
            if isinstance(container, Deferred) or container.complete or not complete
        )
        yield from check_each(checked, check, *arguments)


def check_contexts(
    resource: Resource,
    check: Callable[..., Iterator[Outcome]],
    *arguments: Any,
    agent_namespaces: Any = (),
    partial: bool = False,
) -> Iterator[Outcome]:
    """Apply a check to every security context.

    agent_namespaces: the namespaces whose node agents are exempt. partial: only those that no complete
    container has, for what `check_containers` checks with `complete`.
    """
    if not is_agent(resource, agent_namespaces):
        declared = parts(resource)
        yield from check_each(declared.partial_contexts if partial else declared.contexts, check, *arguments)


def check_images(resource: Resource, problem: Callable[[str], str | None]) -> Iterator[Outcome]:
    """Report the problem of the image that each container runs. problem: from the image's reference, such as
    `comes from 'docker.io/nginx'`, or None."""

    def check(container: Container) -> Iterator[Outcome]:
        reference = container.known("image")
        message = problem(reference) if isinstance(reference, str) and reference else None
        if message:
            yield Violation(f"{container.path}.image", f"{container.name!r} {message}")

    yield from check_containers(resource, check)


def namespace(resource: Resource) -> Any:
    """Return the namespace of an object. Raises Deferred where it is unknown."""
    path = "namespace" if resource.type == RELEASE else "metadata.namespace"
    return resource.known(path) or resource.provider.get("namespace") or "default"


def is_agent(resource: Resource, namespaces: Any) -> bool:
    """Return whether a workload is a node agent: a DaemonSet in a system namespace. Agents need access to
    their nodes, and only the platform may create them there."""
    return bool(namespaces) and resource.type in AGENTS and namespace(resource) in namespaces


def annotations_of(resource: Resource) -> Iterator[Entry | Deferred]:
    """Yield the annotations of an object and of the templates in it, as entries of paths that end with
    `annotations[name]`. Also those in the values of a release, `podAnnotations[name]`."""
    if _may_declare_pods(resource.type):
        yield from _annotations(Entry("", resource.props))


def _annotations(node: Entry) -> Iterator[Entry | Deferred]:
    body = node.body
    if isinstance(body, Mapping):
        for key, value in cast("Mapping[str, Any]", body).items():
            child = Entry(node.where(key), value)
            is_annotations = key.lower().endswith("annotations")
            if value is UNKNOWN and (is_annotations or key == "metadata"):
                yield Deferred(child.path)
            elif not is_annotations:
                yield from _annotations(child)
            elif isinstance(value, Mapping):
                annotations = cast("Mapping[str, Any]", value)
                yield from (Entry(f"{child.path}[{name}]", text) for name, text in annotations.items())
    elif isinstance(body, list):
        for index, entry in enumerate(cast("list[Any]", body)):
            yield from _annotations(Entry(f"{node.path}[{index}]", entry))

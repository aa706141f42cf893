"""The search for Pods in any Kubernetes object: by their form, not by a table of kinds.

Operators create Pods from templates at other places than the built-in kinds (`spec.headGroupSpec.template`
of a RayCluster), from parts of them (`spec.predictor.model` of an InferenceService) and from the values of a
Helm release. Wherever an object has a list `containers`, a `securityContext`, a `hostPath` or a key such as
`hostNetwork`, these have the meaning that they have in a Pod.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml

from .properties import Deferred, Entry
from .values import UNKNOWN

CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers", "sidecars")
"""The keys of lists of containers; `sidecars` is Argo's."""
_SINGLE: Final = ("container", "script")
"""The keys of the container of a template of Argo Workflows."""
HOST_NAMESPACES: Final = ("hostNetwork", "hostPID", "hostIPC")
_POD: Final = frozenset({*CONTAINER_LISTS, *HOST_NAMESPACES, "volumes"})
_BESIDE_IMAGE: Final = frozenset(
    {
        "args",
        "command",
        "env",
        "imagePullPolicy",
        "numNodes",
        "ports",
        "resources",
        "resourcesPerNode",
        "securityContext",
        "volumeMounts",
    }
)
"""Keys of a container: an object with an image and one of these is one, such as `trainer` of a TrainJob."""
_VALUES: Final = ("values", "valuesObject")
"""Keys of the values of a chart, in the objects of Flux and Argo CD."""
_EMBEDDED: Final = ("podSpecPatch", "manifest", "values")
"""Keys of texts with a part of an object in YAML: of Argo Workflows and of Argo CD."""
_NO_PODS: Final = ("apiVersion", "kind", "metadata", "status", "annotations", "labels", "nodeSelector")
_CONTEXT: Final = "securitycontext"
_MAY_CONTAIN_PODS: Final = re.compile(
    r"(?:specs?|specPatch|templates?|tasks?|manifest|containers?|containerSet|overrides|jobs?|groups?|clusterConfig|predictor"
    r"|transformer|explainer|model|worker|master|launcher|trainer|script|resource|volumes?|items|sources?|helm)$",
    re.IGNORECASE,
)
_SIMPLE: Final = re.compile(
    r"(?:name|arn|id|ids|region|zone|url|uri|endpoint|host|hosts|domain|bucket|key|token|password|image|tag|version"
    r"|email|project|account|role|annotations|labels|size|class|count|replicas|enabled|type|mode|level|cidr)$",
    re.IGNORECASE,
)
"""Keys of values whose unknown value is a text or a number: no Pod is below them."""


@dataclass(frozen=True)
class Pod(Entry):
    """The spec of a Pod, or an object with a part of one."""

    around: tuple[Entry, ...] = ()
    """The objects that contain it, the nearest first. Argo's workflows have values for all their Pods."""

    def inherited(self, path: str) -> Any:
        """Return the value at a path, or else that of the nearest object around it."""
        for level in (self, *self.around):
            value = level.known(path)
            if value is not None:
                return value
        return None


@dataclass(frozen=True)
class Container(Entry):
    """A container of a Pod, or a part of one."""

    pod: Pod
    complete: bool = True
    """Whether a key that it lacks is missing; in a part of a container it may come from another object."""

    @property
    def name(self) -> str:
        """Its name, for messages; the last key of its path where it has none."""
        name = self.raw("name")
        return name if isinstance(name, str) else self.path.rpartition(".")[2]

    def security(self, key: str) -> Any:
        """Return a key of its security context, or else of its Pod's. Raises Deferred where it is unknown."""
        path = f"securityContext.{key}"
        value = self.known(path)
        return self.pod.inherited(path) if value is None else value


@dataclass(frozen=True)
class Context(Entry):
    """A security context, of a container or of a Pod."""

    name: str
    """The name of its container, or the last key of the path of what contains it."""
    owner: str
    """The property path of what contains it."""


@dataclass
class Parts:
    """What the search finds. A Deferred states that there may be more where a value is unknown."""

    pods: list[Pod | Deferred] = field(default_factory=list[Pod | Deferred])
    containers: list[Container | Deferred] = field(default_factory=list[Container | Deferred])
    contexts: list[Context | Deferred] = field(default_factory=list[Context | Deferred])
    volumes: list[Entry | Deferred] = field(default_factory=list[Entry | Deferred])
    """Volumes with a `hostPath`."""
    images: list[Entry | Deferred] = field(default_factory=list[Entry | Deferred])
    """Images in the values of a chart, in parts: `{repository: nginx, tag: latest}`."""

    @property
    def partial_contexts(self) -> list[Context | Deferred]:
        """The contexts that no complete container has: only what they state explicitly can be evaluated."""
        covered: set[str] = set()
        for container in self.containers:
            if isinstance(container, Container) and container.complete:
                around = (level.path for level in container.pod.around)
                covered |= {container.path, container.pod.path, *around}
        return [
            context
            for context in self.contexts
            if isinstance(context, Deferred) or context.owner not in covered
        ]


def search(root: Entry, *, values: bool = False, complete: bool = True, workflow: bool = False) -> Parts:
    """Return the Pods below an object and their parts.

    values: whether these are the values of a chart, which names keys as it likes. complete: whether the
    containers are complete, which those of a patch are not. workflow: whether it is an object of Argo
    Workflows, whose templates have a single container.
    """
    finder = _Search(complete, workflow)
    finder.visit("values" if values else "spec", root, (), values=values)
    return finder.parts


class _Search:
    def __init__(self, complete: bool, workflow: bool) -> None:
        self.parts = Parts()
        self._complete = complete
        self._workflow = workflow

    def visit(
        self,
        key: str,
        node: Entry,
        around: tuple[Entry, ...],
        *,
        values: bool,
        owner: Container | None = None,
    ) -> None:
        """Search a value. key: its own, or that of its list. owner: the container that it belongs to."""
        body = node.body
        if key.lower().endswith(_CONTEXT):
            self._context(node, node.path.rpartition(".")[0], owner)
        elif body is UNKNOWN:
            self._unknown(key, node, values=values)
        elif isinstance(body, list):
            for index, entry in enumerate(cast("list[Any]", body)):
                self.visit(key, Entry(f"{node.path}[{index}]", entry), around, values=values, owner=owner)
        elif isinstance(body, Mapping):
            self._object(key, node, around, values=values, owner=owner)
        elif isinstance(body, str) and key in _EMBEDDED:
            self._embedded(node, around, values=key in _VALUES)

    def _object(
        self,
        key: str,
        node: Entry,
        around: tuple[Entry, ...],
        *,
        values: bool,
        owner: Container | None,
    ) -> None:
        body = cast("Mapping[str, Any]", node.body)
        pod = Pod(node.path, body, around)
        if _is_pod(body, values=values):
            self.parts.pods.append(pod)
        if _is_host_path(body.get("hostPath")):
            self.parts.volumes.append(node)
        single = self._workflow and key in _SINGLE and body.get("image") is not None
        if owner is None and (single or _is_container(body)):
            enclosing = around[0] if around else node
            of = Pod(enclosing.path, enclosing.body, around[1:])
            owner = Container(node.path, body, of, single and self._complete)
            self.parts.containers.append(owner)
        if values:
            if "privileged" in body:
                self._context(node, node.path, owner)
            if key.lower().endswith("image") and ("repository" in body or "tag" in body):
                self.parts.images.append(node)
        for name, value in body.items():
            if name in _NO_PODS:
                continue
            child = Entry(node.where(name), value)
            if value is UNKNOWN and name in _VALUES and "operator" not in body:
                self._defer(child)  # An entry of a selector has `values` next to its operator.
            elif name in CONTAINER_LISTS and (value is UNKNOWN or isinstance(value, list)):
                self._containers(child, pod, values=values)
            else:
                self.visit(
                    name, child, (node, *around), values=values or _is_values(name, value), owner=owner
                )

    def _containers(self, node: Entry, pod: Pod, *, values: bool) -> None:
        try:
            entries = list(node.entries())
        except Deferred as deferred:
            self.parts.containers.append(deferred)
            self.parts.contexts.append(deferred)
            return
        for entry in entries:
            if entry.body is UNKNOWN:
                self.parts.containers.append(Deferred(entry.path))
                self.parts.contexts.append(Deferred(entry.path))
                continue
            body: Any = entry.body
            if isinstance(body, Mapping):
                body = cast("Mapping[str, Any]", body)
                complete = self._complete and not values and body.get("image") is not None
                container = Container(entry.path, body, pod, complete)
                self.parts.containers.append(container)
                self._object("container", entry, (pod, *pod.around), values=values, owner=container)

    def _context(self, node: Entry, of: str, owner: Container | None) -> None:
        name = owner.name if owner is not None else of.rpartition(".")[2]
        self.parts.contexts.append(Context(node.path, node.body, name, of))

    def _unknown(self, key: str, node: Entry, *, values: bool) -> None:
        if key == "volumes":
            self.parts.volumes.append(Deferred(node.path))
        elif values and key.lower().endswith("image"):
            self.parts.images.append(Deferred(node.path))
        elif not _SIMPLE.search(key) if values else _MAY_CONTAIN_PODS.search(key):
            self._defer(node)

    def _defer(self, node: Entry) -> None:
        deferred = Deferred(node.path)
        self.parts.pods.append(deferred)
        self.parts.containers.append(deferred)
        self.parts.contexts.append(deferred)
        self.parts.volumes.append(deferred)

    def _embedded(self, node: Entry, around: tuple[Entry, ...], *, values: bool) -> None:
        try:
            parsed = yaml.safe_load(node.body)
        except yaml.YAMLError:
            return  # A text with parameters (`{{inputs.parameters.image}}`) is often no YAML.
        if isinstance(parsed, Mapping):
            inner = _Search(complete=False, workflow=False)
            inner.visit("spec", Entry(node.path, parsed), around, values=values)
            self.parts.pods += inner.parts.pods
            self.parts.containers += inner.parts.containers
            self.parts.contexts += inner.parts.contexts
            self.parts.volumes += inner.parts.volumes
            self.parts.images += inner.parts.images


def _is_pod(body: Mapping[str, Any], *, values: bool) -> bool:
    if values:
        return any(key in body for key in HOST_NAMESPACES)
    return any(key in body for key in _POD) or any(isinstance(body.get(key), Mapping) for key in _SINGLE)


def _is_values(key: str, value: Any) -> bool:
    return key in _VALUES and isinstance(value, Mapping)


def _is_container(body: Mapping[str, Any]) -> bool:
    image = body.get("image")
    if "repository" in body:
        return False  # A part of a reference, as in the policy of NVIDIA's operator.
    return (isinstance(image, str) or image is UNKNOWN) and not _BESIDE_IMAGE.isdisjoint(body)


def _is_host_path(value: Any) -> bool:
    """Return whether this is the path of a volume: an object with one, or a path itself in values."""
    if isinstance(value, Mapping):
        properties = cast("Mapping[str, Any]", value)
        return properties.get("enabled") is not False
    return value is UNKNOWN or (isinstance(value, str) and value.startswith("/"))

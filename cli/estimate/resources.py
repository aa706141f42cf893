"""The resources that an estimate reads: those of a preview, in the engine's stream of events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from cli.output import CommandError
from cli.policy import events

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that only an `up` knows."""
TEAM_LABEL: Final = "ai-platform/team"
_DELETES: Final = frozenset({"delete", "discard", "remove-pending-replace", "delete-replaced"})
_COMPONENT: Final = "aiplatform:index:"


class FailedPreviewError(CommandError):
    """A preview that ended with errors."""

    def __init__(self, errors: Sequence[str]) -> None:
        """errors: as the engine reports them."""
        super().__init__("the preview failed, so there is no estimate:\n" + "\n".join(errors))
        self.errors = list(errors)


@dataclass(frozen=True)
class Resource:
    """One resource that an environment has once it is deployed."""

    urn: str
    type: str
    name: str
    """The logical name."""
    parent: str
    """The URN of the parent; empty for the stack."""
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    op: str = "create"
    """What the preview would do: `create`, `same`, `update`, `replace` ..."""

    def get(self, path: str, default: Any = None) -> Any:
        """Return an input by its dotted path; the default where it is missing or unknown until `up`."""
        return at(self.inputs, path, default)


def at(value: Any, path: str, default: Any = None) -> Any:
    """Return the value at a dotted path; the default where it is missing or unknown until `up`."""
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return default
        value = cast("Mapping[str, Any]", value).get(key)
    return default if value is None or value == UNKNOWN else value


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; nothing for any other value."""
    if not isinstance(value, (list, tuple)):
        return []
    return [
        cast("Mapping[str, Any]", item) for item in cast("Sequence[Any]", value) if isinstance(item, Mapping)
    ]


class Resources:
    """All resources of an environment, by which each finds its component and its team."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.all = sorted(resources, key=lambda resource: (resource.type, resource.name))
        self._by_urn = {resource.urn: resource for resource in self.all}
        self.parents = {resource.parent for resource in self.all}
        self._team_namespaces = {
            at(namespace.inputs, "metadata.name"): str(labels(namespace)[TEAM_LABEL])
            for namespace in self.of("kubernetes:core/v1:Namespace")
            if TEAM_LABEL in labels(namespace)
        }

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of these types, by name."""
        return [resource for resource in self.all if resource.type in types]

    def named(self, type_: str, name: str) -> Resource | None:
        """Return the resource of a type with this logical name."""
        return next((resource for resource in self.of(type_) if resource.name == name), None)

    def component(self, resource: Resource) -> str:
        """Return the outermost component that contains a resource: `GpuPool t4`; `stack` without one."""
        component = "stack"
        current: Resource | None = resource
        while current is not None:
            if current.type.startswith(_COMPONENT):
                component = f"{current.type.removeprefix(_COMPONENT)} {current.name}"
            current = self._by_urn.get(current.parent)
        return component

    def team(self, resource: Resource) -> str | None:
        """Return the team that a resource belongs to, by its tag or label or its namespace's label."""
        tags = {**labels(resource), **resource.get("tags", {}), **resource.get("labels", {})}
        stated = tags.get(TEAM_LABEL) or tags.get("team")
        return str(stated) if stated else self._team_namespaces.get(resource.get("metadata.namespace"))

    def team_of_namespace(self, namespace: str) -> str | None:
        """Return the team of a Kubernetes namespace."""
        return self._team_namespaces.get(namespace)


def labels(resource: Resource) -> Mapping[str, Any]:
    """Return the labels of a Kubernetes object; none for another resource."""
    value = resource.get("metadata.labels", {})
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def read(lines: Iterable[str]) -> list[Resource]:
    """Return the resources in a complete stream of events, as they are after the previewed update.

    Raises FailedPreviewError where the preview failed, and CommandError where it ended early: what is missing
    would cost nothing.
    """
    text = list(lines)
    evaluation = events.read(text)
    if evaluation.errors:
        raise FailedPreviewError(evaluation.causes)
    if not evaluation.finished:
        raise CommandError(
            "the preview's stream is incomplete (no summaryEvent); expected all lines of "
            "`pulumi preview --json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true"
        )
    by_urn: dict[str, Resource] = {}
    for line in text:
        resource = _resource(line)
        if resource is not None:
            by_urn[resource.urn] = resource
    return [*by_urn.values()]


def _resource(line: str) -> Resource | None:
    try:
        step: Mapping[str, Any] = json.loads(line)["resourcePreEvent"]["metadata"]
    except (KeyError, TypeError, ValueError):
        return None
    if step["op"] in _DELETES or step["op"] == "read":
        return None
    new: Mapping[str, Any] = step.get("new") or {}
    urn = str(step["urn"])
    return Resource(
        urn,
        str(step["type"]),
        urn.rpartition("::")[2],
        str(new.get("parent") or ""),
        new.get("inputs") or {},
        str(step["op"]),
    )

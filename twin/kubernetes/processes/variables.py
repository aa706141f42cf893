"""The variables and the command of a container."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from twin.kubernetes.api import Object
from twin.kubernetes.processes.images import Image
from twin.kubernetes.processes.sources import Sources

_REFERENCE: Final = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_KINDS: Final = {"configMapKeyRef": "configmaps", "secretKeyRef": "secrets"}


def declared(sources: Sources, container: Object) -> dict[str, str]:
    """Return the variables that a container declares, `envFrom` first. Raises MissingSourceError."""
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        kind = "configmaps" if "configMapRef" in source else "secrets"
        reference = source.get("configMapRef") or source["secretRef"]
        data = sources.data(kind, reference["name"], optional=bool(reference.get("optional")))
        prefix = source.get("prefix") or ""
        variables.update({prefix + key: value.decode(errors="replace") for key, value in data.items()})
    for entry in container.get("env") or ():
        source = entry.get("valueFrom")
        value = (
            expand(entry.get("value") or "", variables)
            if source is None
            else _value(sources, container, source)
        )
        if value is not None:
            variables[entry["name"]] = value
    return variables


def _value(sources: Sources, container: Object, source: Object) -> str | None:
    for name, kind in _KINDS.items():
        if name in source:
            return sources.key(kind, source[name])
    if "fieldRef" in source:
        return sources.field(source["fieldRef"])
    if "resourceFieldRef" in source:
        return sources.resource(source["resourceFieldRef"], container)
    return None


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by a variable's value; `$$` is `$`, and an unknown name stays as it is."""
    return _REFERENCE.sub(
        lambda match: "$" if match[1] is None else variables.get(match[1], match[0]),
        text,
    )


def command(container: Object, image: Image, variables: Mapping[str, str]) -> Sequence[str]:
    """Return the words of a container's process: its command and arguments, where it has none the image's."""
    entrypoint = container.get("command") or image.entrypoint
    default = () if container.get("command") else image.arguments
    words = [*entrypoint, *(container.get("args") or default), *image.options]
    return [expand(word, variables) for word in words]

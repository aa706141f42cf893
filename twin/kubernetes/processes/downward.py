"""The downward API: fields of a Pod, and resources of its containers, as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twin.kubernetes.quantity import milli

Object = Mapping[str, Any]

_ENTRY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def field(pod: Object, path: str) -> str:
    """Return a field by its fieldPath. The API server has accepted the path."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    entry = _ENTRY.fullmatch(path)
    if entry:
        return (metadata.get(entry[1]) or {}).get(entry[2], "")
    if path in ("metadata.labels", "metadata.annotations"):
        entries: dict[str, str] = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted(entries.items()))
    match path.split("."):
        case ["metadata", name]:
            return str(metadata.get(name, ""))
        case ["spec", name]:
            return str(spec.get(name, ""))
        case ["status", "podIPs" | "hostIPs" as name]:
            return ",".join(entry["ip"] for entry in status.get(name) or ())
        case ["status", name]:
            return str(status.get(name, ""))
        case _:
            return ""


def resource(container: Object, reference: Object, allocatable: Mapping[str, str]) -> str:
    """Return a container's request or limit in units of the divisor, rounded up.

    allocatable: of the node, which is the limit of a container without one.
    """
    kind, _, name = str(reference["resource"]).partition(".")
    resources: Mapping[str, Any] = container.get("resources") or {}
    value = (resources.get(kind) or {}).get(name)
    if value is None and kind == "limits":
        value = allocatable.get(name)
    divisor = milli(str(reference.get("divisor") or "1")) or milli("1")
    return str(-(-milli(str(value or "0")) // divisor))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""The keys of an environment file that hold principals: names of workload identities of the file, or
principals of the cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "lakehouse": ("writers.*", "file_readers.*", "admins.*", "grants.*.principal"),
    "feature_store": ("readers.*", "appliers.*"),
    "container_registry": ("readers.*", "writers.*", "repository_writers.*.*"),
    "model_registry": ("accounts.*.principals.*",),
    "teams": ("*.pushers.*",),
    "functions": ("*.role", "*.http.callers.*"),
}
"""Topic -> its keys that hold a principal; `*` matches every entry of a list or an object."""
EVERYBODY: Final = frozenset({"*", "allUsers", "allAuthenticatedUsers", "IAM_ALLOWED_PRINCIPALS"})
"""Principals that include everyone."""


def replaced(topic: str, args: dict[str, Any], principals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with names of workload identities replaced by their principals. Modifies
    `args`."""
    for _, container, key, name in _principals_in(topic, args):
        container[key] = principals.get(name, name)
    return args


def named(topic: str, args: Mapping[str, Any]) -> dict[str, str]:
    """Return the principal of each dotted key: `lakehouse.grants[0].principal` -> `analysts`."""
    return {path: name for path, _, _, name in _principals_in(topic, args)}


def _principals_in(topic: str, args: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, str]]:
    """Yield dotted key, container, key or index in the container, and the principal."""
    for place in PLACES.get(topic, ()):
        yield from _below(args, place.split("."), topic)


def _below(node: Any, keys: Sequence[str], path: str) -> Iterator[tuple[str, Any, Any, str]]:
    head, *rest = keys
    for key, value, dotted in _entries(node, head, path):
        if rest:
            yield from _below(value, rest, dotted)
        elif isinstance(value, str):
            yield dotted, node, key, value


def _entries(node: Any, key: str, path: str) -> Iterator[tuple[Any, Any, str]]:
    if isinstance(node, list):
        for index, value in enumerate(cast("list[Any]", node)):
            yield index, value, f"{path}[{index}]"
    elif isinstance(node, Mapping):
        for name, value in cast("Mapping[str, Any]", node).items():
            if key in ("*", name):
                yield name, value, f"{path}.{name}"

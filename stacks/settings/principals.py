"""Where an environment file names principals: a workload identity of the file by its name, or one of the
cloud as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "lakehouse": ("writers.*", "admins.*", "grants.*.principal"),
    "feature_store": ("readers.*", "appliers.*"),
    "container_registry": ("readers.*", "writers.*"),
    "model_registry": ("accounts.*.principals.*",),
}
"""Topic -> its keys that hold a principal; `*` stands for every entry of a list or an object."""
EVERYBODY: Final = frozenset({"*", "allUsers", "allAuthenticatedUsers", "IAM_ALLOWED_PRINCIPALS"})
"""What clouds call everybody."""


def replaced(topic: str, args: dict[str, Any], principals: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with the names of workload identities replaced by what they are called in the cloud.
    Changes what it was given."""
    for _, holder, where, name in _found(topic, args):
        holder[where] = principals.get(name, name)
    return args


def named(topic: str, args: Mapping[str, Any]) -> dict[str, str]:
    """Dotted key -> the principal there: `lakehouse.grants[0].principal` -> `analysts`."""
    return {path: name for path, _, _, name in _found(topic, args)}


def _found(topic: str, args: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any, str]]:
    """(dotted key, what holds it, under which key or index, the principal)."""
    for place in PLACES.get(topic, ()):
        yield from _below(args, place.split("."), topic)


def _below(node: Any, keys: Sequence[str], path: str) -> Iterator[tuple[str, Any, Any, str]]:
    first, *rest = keys
    for where, value, dotted in _entries(node, first, path):
        if rest:
            yield from _below(value, rest, dotted)
        elif isinstance(value, str):
            yield dotted, node, where, value


def _entries(node: Any, key: str, path: str) -> Iterator[tuple[Any, Any, str]]:
    if isinstance(node, list):
        for index, value in enumerate(cast("list[Any]", node)):
            yield index, value, f"{path}[{index}]"
    elif isinstance(node, Mapping):
        for name, value in cast("Mapping[str, Any]", node).items():
            if key in ("*", name):
                yield name, value, f"{path}.{name}"

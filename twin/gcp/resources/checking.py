"""A body against the API's schema: what Google would refuse, said at the property that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twin.gcp import discovery
from twin.gcp.apis import APIS
from twin.resource import UNKNOWN, Props


def wrong_body(
    api: str, schema: str, method: str, body: Props, places: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """(property, reason) of each fault. method: whose required fields must be there. UNKNOWN passes."""
    known, unknown = _without_unknown(body, "")
    for path, reason in discovery.faults(api, APIS[api].version, schema, known, method):
        if path not in unknown:
            yield _place(places, path), reason


def _without_unknown(value: Any, path: str) -> tuple[Any, set[str]]:
    """The value with None for UNKNOWN, and the paths where it stood."""
    if value is UNKNOWN:
        return None, {path}
    unknown: set[str] = set()
    if isinstance(value, dict):
        made: Props = {}
        for key, item in value.items():
            made[key], more = _without_unknown(item, f"{path}.{key}" if path else key)
            unknown |= more
        return made, unknown
    if isinstance(value, list):
        items: list[Any] = []
        for index, item in enumerate(value):
            one, more = _without_unknown(item, f"{path}[{index}]")
            items.append(one)
            unknown |= more
        return items, unknown
    return value, unknown


def _place(places: Mapping[str, str], path: str) -> str:
    """The property of a field's path; below a field of its own, a missing one is shown there."""
    around, below = path, ""
    while around:
        if around in places:
            return places[around] + below
        head, dot, tail = around.rpartition(".")
        if not dot:
            break
        around, below = head, f".{tail}{below}"
    return path

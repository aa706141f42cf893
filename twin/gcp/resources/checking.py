"""A body against the API's schema: what Google would refuse, said at the property that it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.gcp.api_server import discovery
from twin.gcp.apis import APIS
from twin.provider_interface import UNKNOWN, Props

_FIELD: Final = re.compile(r"[Ii]nvalid value for field '(?:(?:resource|cluster|nodePool)\.)?([^']+)'")
_OPENING: Final = re.compile(r"(?:cluster|nodePool)\.([A-Za-z][\w.\[\]]*): ")
_TELLING: Final = 4
"""A value of fewer characters is in many a message by chance."""


def blamed(message: str, stated: Mapping[str, str], places: Mapping[str, str], body: Any) -> str:
    """The property that a refusal is about, "" where it does not say.

    stated: properties by a part of the message. places: the property of each field of the body. A message
    that names a field, or quotes a value that was sent, states it.
    """
    named = _FIELD.search(message) or _OPENING.match(message)
    if named and _known(places, named[1]):
        return _place(places, named[1])
    for part, path in stated.items():
        if part in message:
            return path
    found_values = [
        (bool(re.search(rf"""["'`]{re.escape(value)}["'`]""", message)), len(value), path)
        for path, value in _leaves(body, "")
        if len(value) >= _TELLING and re.search(rf"(?<![\w.]){re.escape(value)}(?![\w])", message)
    ]
    if found_values:
        return _place(places, max(found_values)[2])
    mentioned = [path for path in places if re.search(rf"""["'`]{re.escape(path)}["'`]""", message)]
    return places[max(mentioned, key=len)] if mentioned else ""


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


def wrong_body(
    api: str, schema: str, method: str, body: Props, places: Mapping[str, str], version: str = ""
) -> Iterator[tuple[str, str]]:
    """(property, reason) of each violation. UNKNOWN passes.

    method: whose required fields must be there. version: of the API; the provider's usual one by default.
    """
    known, unknown = _without_unknown(body, "")
    for path, reason in discovery.violations(api, version or APIS[api].version, schema, known, method):
        if path not in unknown:
            yield _place(places, path), reason


def _without_unknown(value: Any, path: str) -> tuple[Any, set[str]]:
    """The value with None for UNKNOWN, and the paths where it was."""
    if value is UNKNOWN:
        return None, {path}
    unknown: set[str] = set()
    if isinstance(value, dict):
        known: Props = {}
        for key, item in value.items():
            known[key], more = _without_unknown(item, f"{path}.{key}" if path else key)
            unknown |= more
        return known, unknown
    if isinstance(value, list):
        items: list[Any] = []
        for index, item in enumerate(value):
            one, more = _without_unknown(item, f"{path}[{index}]")
            items.append(one)
            unknown |= more
        return items, unknown
    return value, unknown


def _known(places: Mapping[str, str], path: str) -> bool:
    """Whether a field, or one that contains it, came from a property."""
    parts = path.split(".")
    return any(".".join(parts[: length + 1]) in places for length in range(len(parts)))


def _place(places: Mapping[str, str], path: str) -> str:
    """The property of a field's path; below a separate field, a missing one is shown there."""
    around, below = path, ""
    while around:
        if around in places:
            return places[around] + below
        head, dot, tail = around.rpartition(".")
        if not dot:
            break
        around, below = head, f".{tail}{below}"
    return path

"""The status that the command states, in the objects of the API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from twin.kubernetes.api import Object
from twin.kubernetes.time_scale import timestamp

_TIME = "lastTransitionTime"


def merged(present: Mapping[str, Any], stated: Mapping[str, Any], controller: str) -> dict[str, Any] | None:
    """Return the status of an object, or None where it is as stated: times stay while a condition does, and
    entries of other controllers stay. present, stated: the status."""
    wanted = dict(stated)
    for key in ("parents", "ancestors"):
        if key in wanted or key in present:
            wanted[key] = [
                *(entry for entry in present.get(key) or () if entry.get("controllerName") != controller),
                *(wanted.get(key) or ()),
            ]
    timed = _timed(present, wanted)
    return None if timed == {**present} else cast("dict[str, Any]", timed)


def observing(status: Any, generation: int) -> Any:
    """Return a status whose conditions state the generation of the object."""
    if isinstance(status, list):
        return [observing(entry, generation) for entry in cast("list[Any]", status)]
    if not isinstance(status, dict):
        return status
    entries = {key: observing(value, generation) for key, value in cast("dict[str, Any]", status).items()}
    return {**entries, "observedGeneration": generation} if _TIME in entries else entries


def _timed(present: Any, wanted: Any) -> Any:
    """Return what is wanted, each condition with its time: the present one where it is the same."""
    if isinstance(wanted, list):
        before = list(present) if isinstance(present, list) else []
        return [
            _timed(next((item for item in before if _same(item, entry)), None), entry) for entry in wanted
        ]
    if not isinstance(wanted, dict):
        return wanted
    known: Mapping[str, Any] = present if isinstance(present, dict) else {}
    entries = {key: _timed(known.get(key), value) for key, value in wanted.items() if key != _TIME}
    if _TIME in wanted:
        same = known.get("status") == wanted.get("status") and _TIME in known
        entries[_TIME] = known[_TIME] if same else timestamp()
    return entries


def _same(one: Object, other: Object) -> bool:
    """Whether two entries of lists are of the same condition, listener or parent."""
    keys = ("type", "name", "parentRef", "ancestorRef", "controllerName")
    return isinstance(one, dict) and all(one.get(key) == other.get(key) for key in keys)

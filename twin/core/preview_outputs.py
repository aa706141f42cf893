"""What a preview knows of outputs that stand inside an input object (`vpcConfig.clusterSecurityGroupId`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twin.provider_interface import UNKNOWN, Props


def with_nested(planned: Props, paths: Iterable[str], state: Mapping[str, Any] | None = None) -> Props:
    """The planned outputs with what the cloud adds inside of them.

    state: the outputs of before, of an update, whose values stay; None for a create, where they are UNKNOWN.
    What the program says itself stays, and an object that it leaves out is none of this.
    """
    result = dict(planned)
    for path in paths:
        _fill(result, path.split("."), state)
    return result


def _fill(target: Props, path: list[str], state: Mapping[str, Any] | None) -> None:
    name, rest = path[0], path[1:]
    if not rest:
        value = UNKNOWN if state is None else state.get(name)
        if target.get(name) is None and value is not None:
            target[name] = value
        return
    inside = target.get(name)
    if isinstance(inside, dict):
        below = None if state is None else state.get(name)
        target[name] = dict(inside)
        _fill(target[name], rest, below if isinstance(below, Mapping) or state is None else {})

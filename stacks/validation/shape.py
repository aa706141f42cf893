"""The shape of an environment file: pydantic's errors in the words of a file's reader."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from pydantic import BaseModel, ValidationError

from aiplatform._shared.args import Problem
from stacks.settings import Settings, parse
from stacks.settings.base import replacement

_TYPES: Final = {
    "list_type": "a list",
    "dict_type": "an object",
    "bool_type": "true or false",
    "int_type": "an integer",
    "string_type": "a string",
}
"""Pydantic's error -> the type that it expects."""


def problems(error: ValidationError) -> list[Problem]:
    """Return one problem for each key that is unknown or missing or has a value of another type."""
    errors = error.errors(include_url=False)
    places = [_path(details) for details in errors]
    reported: list[Problem] = []
    for details, path in zip(errors, places, strict=True):
        if any(len(other) > len(path) > 0 and other[: len(path)] == path for other in places):
            # A union reports each of its forms; the one that the value nearly has states what is wrong
            # inside.
            continue
        forms = [dict(other) for other, place in zip(errors, places, strict=True) if place == path]
        reason = _reason(dict(details), path) if len(forms) == 1 else _no_form(forms, path)
        reported.append(Problem(dotted(path), reason))
    return list(dict.fromkeys(reported))


def paths(error: ValidationError) -> frozenset[str]:
    """Return the dotted keys that have another shape."""
    return frozenset(dotted(_path(details)) for details in error.errors(include_url=False))


def without_invalid_keys(
    topics: Mapping[str, Any], error: ValidationError, defaults: Mapping[str, str]
) -> Settings | None:
    """Return the settings of a file without the keys that have another shape, or None if that is no file
    either.

    With it the other rules can be evaluated, so that all problems are reported at once. defaults: cloud
    and profile in place of invalid ones.
    """
    rest = cast("dict[str, Any]", copy.deepcopy(topics))
    for details in error.errors(include_url=False):
        _drop(rest, _path(details))
    if isinstance(rest.get("environment"), dict):
        rest["environment"] = {**defaults, **rest["environment"]}
    try:
        return parse(rest)
    except ValidationError:
        return None


def nearest(word: str, known: Sequence[str]) -> str:
    """Return `; did you mean 'network'?`, or what is known if no word is near."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; expected one of {', '.join(known)}" if known else ""


def dotted(path: Sequence[int | str]) -> str:
    """Return a path as errors print it: `gpu_pools.t4.taints[0].effect`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def _path(details: Any) -> tuple[int | str, ...]:
    """Return where an error is, without the members of unions that pydantic adds: a file has keys only."""
    return tuple(part for part in details["loc"] if not _is_type(part))


def _is_type(part: int | str) -> bool:
    return isinstance(part, str) and (
        part[:1].isupper()
        or part == "[key]"  # of an object, after the key itself
        or part.startswith(("literal[", "list[", "constrained-"))
        or part in ("int", "bool", "str")
    )


def _drop(node: Any, path: Sequence[int | str]) -> None:
    *parents, last = path or [""]
    for part in parents:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(node, dict):
        cast("dict[Any, Any]", node).pop(last, None)


def _reason(details: dict[str, Any], path: Sequence[int | str]) -> str:
    kind, value, context = details["type"], details.get("input"), details.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key{_replacement(path)}"
    if kind == "missing":
        return "missing; expected a value, as it has no default"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"got {value!r}; expected a match of {context['pattern']}"
    if kind == "string_too_long":
        return f"got {value!r}; expected at most {context['max_length']} characters"
    if kind == "string_too_short":
        return f"got {value!r}; expected at least {context['min_length']} characters"
    if kind == "string_type" and isinstance(value, int | float):
        return f"got the number {value}; expected a string: write it in quotes"
    if _expected(details, path):
        return _no_form([details], path)
    return f"got {value!r}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _no_form(errors: Sequence[dict[str, Any]], path: Sequence[int | str]) -> str:
    """Return the problem of a value that has none of its key's forms: `got 'public'; expected 'in_vpc' or
    'dns'`."""
    value = errors[0].get("input")
    forms = dict.fromkeys(_expected(details, path) or str(details["msg"]) for details in errors)
    words = [
        word.strip("' ")
        for details in errors
        if details["type"] == "literal_error"
        for word in str(details["ctx"]["expected"]).replace(" or ", ",").split(",")
    ]
    close = difflib.get_close_matches(str(value), words, n=1, cutoff=0.5)
    suggestion = f"; did you mean {close[0]!r}?" if close else ""
    return f"{'empty' if value is None else f'got {value!r}'}; expected {', or '.join(forms)}{suggestion}"


def _expected(details: dict[str, Any], path: Sequence[int | str]) -> str | None:
    """Return the form that a value should have, or None if the error is not about its form."""
    kind = details["type"]
    if kind == "literal_error":
        return str(details["ctx"]["expected"])
    if kind in ("model_type", "model_attributes_type"):
        return f"an object with {', '.join(_keys_at(path))}"
    return _TYPES.get(kind)


def _replacement(path: Sequence[int | str]) -> str:
    """Return what may replace an unknown key: its new name, the block that has it, or the nearest key."""
    name, models = str(path[-1]), _models_at(path[:-1])
    new_key = replacement(models, name)
    return f"; expected {new_key}" if new_key else nearest(name, _keys_at(path[:-1]))


def _keys_at(path: Sequence[int | str]) -> list[str]:
    """Return the keys of a topic, or of an object inside one."""
    return sorted({name for model in _models_at(path) for name in model.model_fields})


def _models_at(path: Sequence[int | str]) -> list[type[BaseModel]]:
    """Return the models of a topic, or of an object inside one."""
    models: list[type[BaseModel]] = [Settings]
    for part in path:
        following: list[type[BaseModel]] = []
        for model in models:
            field = model.model_fields.get(str(part))
            if field is None:
                following.append(model)  # an index of a list, or a name in an object
            else:
                following.extend(_models_in(field.annotation))
        models = following
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]

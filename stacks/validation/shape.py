"""The shape of an environment file: pydantic's errors in the words of a file's reader."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from pydantic import BaseModel, ValidationError

from aiplatform._shared.args import Problem, got
from aiplatform._shared.problems import HIDDEN, SECRET_KEYS
from aiplatform.model_registry.accounts import NAME as ACCOUNT
from aiplatform.teams.args import NAME as TEAM
from stacks.settings import Settings, parse
from stacks.settings.base import replacement
from stacks.settings.composition import ENVIRONMENT, SHARED_NAME
from stacks.settings.environment import SHORT_NAME
from stacks.suggestions import did_you_mean, nearest

_TYPES: Final = {
    "list_type": "a list",
    "dict_type": "an object",
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "a string",
}
"""Pydantic's error -> the type that it expects."""
_LIMITS: Final = {
    "string_too_long": "at most {} characters",
    "string_too_short": "at least {} characters",
    "less_than_equal": "at most {}",
    "less_than": "less than {}",
    "greater_than_equal": "at least {}",
    "greater_than": "more than {}",
}
"""Pydantic's error -> what it expects of a size."""
_LIMIT_NAMES: Final = ("max_length", "min_length", "le", "lt", "ge", "gt")
OF_ONE_CLOUD: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "aws": {"node_provisioning": ("karpenter", "moving_to_karpenter")},
    "gcp": {
        "capacity": ("flex_start", "queued"),
        "gateway_class": ("gke",),
        "mode": ("dns",),
        "type": ("flex_start", "queued"),
    },
}
"""Cloud -> key -> words that only this cloud has, as components state; a test compares them."""
_WORDS: Final = "lower-case letters and digits in words joined by single hyphens"
_PATTERNS: Final = {
    **dict.fromkeys(
        (SHORT_NAME, f"^{TEAM}$", f"^{ACCOUNT.pattern}$"), f"{_WORDS}, a letter first, such as dev-west"
    ),
    SHARED_NAME: "the name of a file in environments/shared/, without .yaml, such as observability",
    ENVIRONMENT: f"the name of an environment, such as aws-prod: {_WORDS}",
}
"""Pattern of a key -> what it expects, in words."""


def problems(error: ValidationError, topics: Any) -> list[Problem]:
    """Return one problem for each key that is unknown or missing or has a value of another type. topics: what
    the error is about."""
    errors = error.errors(include_url=False)
    places = [_path(details, topics) for details in errors]
    cloud = _cloud(topics)
    reported: list[Problem] = []
    for path in places:
        if any(len(other) > len(path) > 0 and other[: len(path)] == path for other in places):
            # A union reports each of its forms; the one that the value nearly has states what is wrong
            # inside.
            continue
        forms = [
            _of_cloud(dict(other), path, cloud)
            for other, place in zip(errors, places, strict=True)
            if place == path
        ]
        reason = _reason(forms[0], path) if len(forms) == 1 else _no_form(forms, path)
        reported.append(Problem(dotted(path), reason))
    return list(dict.fromkeys(reported))


def _cloud(topics: Any) -> str:
    """Return the cloud that a file states; empty where it states none."""
    environment = (
        cast("Mapping[str, Any]", topics).get("environment") if isinstance(topics, Mapping) else None
    )
    return (
        str(cast("Mapping[str, Any]", environment).get("cloud")) if isinstance(environment, Mapping) else ""
    )


def _of_cloud(details: dict[str, Any], path: Sequence[int | str], cloud: str) -> dict[str, Any]:
    """Return an error without the words that only the other cloud has among those that it expects."""
    if details["type"] != "literal_error" or cloud not in OF_ONE_CLOUD:
        return details
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    expected = str(details["ctx"]["expected"]).replace(" or ", ", ").split(", ")
    other = {word for name, keys in OF_ONE_CLOUD.items() if name != cloud for word in keys.get(key, ())}
    words = [word for word in expected if word.strip("'") not in other]
    *first, last = words
    text = f"{', '.join(first)} or {last}" if first else last
    return {**details, "ctx": {"expected": text}}


def invalid_keys(error: ValidationError, topics: Any) -> dict[str, bool]:
    """Return the dotted keys that have another shape -> whether it is an entry of a list, or of an object
    whose keys are names."""
    errors = error.errors(include_url=False)
    return {
        dotted(path): details["type"] != "extra_forbidden" and str(path[-1]) not in _keys_at(path[:-1])
        for details in errors
        if (path := _path(details, topics))
    }


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
        _drop(rest, _path(details, topics))
    if isinstance(rest.get("environment"), dict):
        rest["environment"] = {**defaults, **rest["environment"]}
    try:
        return parse(rest)
    except ValidationError:
        return None


def dotted(path: Sequence[int | str]) -> str:
    """Return a path as errors print it: `gpu_pools.t4.taints[0].effect`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def _path(details: Any, topics: Any) -> tuple[int | str, ...]:
    """Return where an error is, without the members of unions and other words that pydantic adds: a file has
    keys only."""
    node: Any = topics
    path: list[int | str] = []
    for part in details["loc"]:
        if _has(node, part):
            node = node[part]
            path.append(part)
        elif not _is_type(part):
            node = None  # a missing key
            path.append(part)
    return tuple(path)


def _has(node: Any, part: int | str) -> bool:
    if isinstance(node, Mapping):
        return part in node
    return isinstance(node, list) and isinstance(part, int)


def _is_type(part: int | str) -> bool:
    return isinstance(part, str) and (
        part[:1].isupper()
        or part == "[key]"  # of an object, after the key itself
        or part.startswith(("literal[", "list[", "constrained-", "function-"))
        or part in ("int", "bool", "str", "float")
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
        return f"{_got(value, path)}; expected {_PATTERNS.get(context['pattern'], 'another form')}"
    if kind == "string_type" and isinstance(value, int | float):
        return f"{_got(value, path)}; expected a string: write it in quotes"
    if kind in _LIMITS:
        [limit] = [context[name] for name in _LIMIT_NAMES if name in context]
        return f"{_got(value, path)}; expected {_LIMITS[kind].format(f'{limit:g}')}"
    if _expected(details, path):
        return _no_form([details], path)
    return f"{_got(value, path)}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _got(value: Any, path: Sequence[int | str]) -> str:
    """Return a value as errors quote it, in the words of YAML; not what may be a secret."""
    if value is None:
        return "empty"
    if path and str(path[-1]) in SECRET_KEYS:
        return HIDDEN
    if isinstance(value, bool):
        return f"got {str(value).lower()}"
    return f"got the number {value}" if isinstance(value, int | float) else got(value)


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
    expected = ", or ".join(forms)
    if "a string" in forms and isinstance(value, int | float):
        expected = f"{expected}: write it in quotes"
    return f"{_got(value, path)}; expected {expected}{did_you_mean(str(value), words, 0.5)}"


def _expected(details: dict[str, Any], path: Sequence[int | str]) -> str | None:
    """Return the form that a value should have, or None if the error is not about its form."""
    kind = details["type"]
    if kind == "literal_error":
        return str(details["ctx"]["expected"])
    if kind in ("model_type", "model_attributes_type"):
        known = _keys_at(path)
        return f"an object with {', '.join(known)}" if known else "an object without keys: {}"
    return _TYPES.get(kind)


def _replacement(path: Sequence[int | str]) -> str:
    """Return what may replace an unknown key: its new name, the block that has it, or the nearest key."""
    name, models = str(path[-1]), _models_at(path[:-1])
    new_key = replacement(models, name)
    if new_key:
        return f"; expected {new_key}"
    if name.endswith(")"):
        return (
            ", the rest of a value that a comma ends between braces; expected the whole value in quotes, "
            'such as "decimal(10,2)"'
        )
    return nearest(name, _keys_at(path[:-1])) or "; expected none: the object has no keys"


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

"""Parameters of an AWS call, held against the service's published model (botocore's).

botocore checks presence and type alone; enumerations, patterns, lengths and ranges are in the same models,
and AWS refuses what breaks them. The words are those of AWS's own validation errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from botocore.loaders import Loader, create_loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from twin.provider_interface import UNKNOWN

Violation = tuple[str, str]
"""The path of an API parameter (`LaunchTemplateData.TagSpecifications[0].ResourceType`), and why."""

_CLASSES: Final = {"L": r"\w", "N": r"\d", "Z": r"\s", "S": r"$+<=>^`|~", "M": "", "P": r"\W"}
"""Unicode categories that Java's patterns use and Python's do not know; each becomes a superset."""

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "structure": (dict,),
    "map": (dict,),
    "list": (list, tuple),
}


@cache
def loader() -> Loader:
    """The one loader of botocore's data: each service's model is parsed once in a process."""
    return create_loader()


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by botocore's name for it (`ec2`, `eks`, `logs`)."""
    return ServiceModel(loader().load_service_model(service, "service-2"), service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The model of an operation by its API name (`CreateSubnet`)."""
    return service_model(service).operation_model(operation)


def violations(service: str, operation: str, params: Mapping[str, Any]) -> list[Violation]:
    """All that the service's model refuses in these parameters; UNKNOWN passes wherever it is."""
    shape = operation_model(service, operation).input_shape
    return list(_walk(shape, dict(params), "")) if shape else []


def _walk(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    if value is UNKNOWN or value is None or getattr(shape, "is_document_type", False):
        return
    expected = _TYPES.get(shape.type_name)
    if expected and (not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)):
        yield path, f"must be {_article(shape.type_name)}, got {value!r}"
        return
    yield from _CHECKS.get(shape.type_name, _nothing)(shape, value, path)


def _structure(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    assert isinstance(shape, StructureShape)  # noqa: S101 - the type name says so; this reports the type checker
    for name in shape.required_members:
        if value.get(name) is None:
            yield _join(path, name), "Member must not be null"
    for name, member in value.items():
        if name not in shape.members:
            yield _join(path, name), f"unknown parameter; {shape.name} has {', '.join(shape.members)}"
        else:
            yield from _walk(shape.members[name], member, _join(path, name))


def _list(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    assert isinstance(shape, ListShape)  # noqa: S101
    yield from _bounds(shape, len(value), value, path, "length")
    for index, member in enumerate(value):
        yield from _walk(shape.member, member, f"{path}[{index}]")


def _map(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    assert isinstance(shape, MapShape)  # noqa: S101
    yield from _bounds(shape, len(value), value, path, "length")
    for key, member in value.items():
        yield from _walk(shape.key, key, _join(path, key))
        yield from _walk(shape.value, member, _join(path, key))


def _string(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        choices = ", ".join(allowed) if len(allowed) <= 40 else _nearest(value, allowed)
        yield (
            path,
            f"Value '{value}' failed to satisfy constraint: Member must satisfy enum value set: [{choices}]",
        )
    yield from _bounds(shape, len(value), value, path, "length")
    pattern = shape.metadata.get("pattern")
    compiled = _pattern(pattern) if pattern else None
    if compiled and not compiled.fullmatch(value):
        yield (
            path,
            f"Value '{value}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}",
        )


def _number(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    yield from _bounds(shape, value, value, path, "value")


def _nothing(_shape: Shape, _value: Any, _path: str) -> Iterator[Violation]:
    return iter(())


_CHECKS: Final[dict[str, Callable[[Shape, Any, str], Iterator[Violation]]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
}


def _bounds(shape: Shape, size: float, value: Any, path: str, what: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    for broken, word, limit in (
        (least is not None and size < float(least), "greater", least),
        (most is not None and size > float(most), "less", most),
    ):
        if broken:
            yield (
                path,
                f"Value '{value}' failed to satisfy constraint: "
                f"Member must have {what} {word} than or equal to {limit}",
            )


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    # Java's syntax; what Python cannot read is left to the service itself.
    translated = re.sub(r"\\p\{(?:Is)?(\w)\w*\}", lambda m: _CLASSES.get(m[1], r"\w"), text)
    translated = translated.replace("(?s)", "")
    try:
        return re.compile(translated, re.DOTALL)
    except re.error:
        return None


def _nearest(value: str, allowed: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(value, allowed, n=3, cutoff=0.5)
    return f"{len(allowed)} values" + (f"; the nearest: {', '.join(near)}" if near else "")


def _article(type_name: str) -> str:
    return {"structure": "an object", "integer": "an integer", "list": "a list", "map": "a map"}.get(
        type_name, f"a {type_name}"
    )


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

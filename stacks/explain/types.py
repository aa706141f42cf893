"""Types of keys, in the words of a reader of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

_WORDS = {str: "string", int: "integer", bool: "boolean", float: "number"}


def words(annotation: Any) -> str:
    """Return a type: `list of string`, and words that a key accepts in code font."""
    origin: Any = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in arguments)
    if hasattr(annotation, "__metadata__"):
        return words(arguments[0])
    if origin is list:
        return f"list of {words(arguments[0])}"
    if origin is dict:
        return f"map of {words(arguments[1])}"
    if arguments:
        return " or ".join(words(argument) for argument in arguments if argument is not type(None))
    if _is_object(annotation):
        return "object"
    return _WORDS.get(annotation, "any")


def choices(annotation: Any) -> list[str]:
    """Return the words that a key accepts; empty where it accepts others, too."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for argument in get_args(annotation) for word in choices(argument)]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the objects in a type."""
    for _, model in blocks(annotation):
        yield model


def blocks(annotation: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield the objects in a type with the path to them: `*` is an entry of a list or of a map."""
    if _is_object(annotation):
        yield path, annotation
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        yield from blocks(arguments[0], path)
    elif origin in (list, dict):
        yield from blocks(arguments[-1], (*path, "*"))
    elif origin is not Literal:
        for argument in arguments:
            yield from blocks(argument, path)


def _is_object(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

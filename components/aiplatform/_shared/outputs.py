"""Arguments that may be outputs: tags as a whole, and values that a component derives from arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pulumi import Input, Output

from aiplatform._shared.args import ArgumentError, Rule, is_unknown, obeys

T = TypeVar("T")
S = TypeVar("S")

Tags = Input[Mapping[str, Input[str]]]
"""Tags of resources, labels on Google Cloud: all of them or single values may be outputs."""


def plain(value: Input[T]) -> T:
    """Return a value that is no output, such as an argument that an environment file states."""
    return cast(T, value)


def mapped(value: Input[T], function: Callable[[T], S]) -> Input[S]:
    """Return `function` of a value: at once where it is plain, as an output where it is one."""
    if is_unknown(value):
        return Output.from_input(value).apply(function)
    return function(cast(T, value))


def mapped_list(entries: Input[Sequence[Input[T]]], function: Callable[[list[T]], S]) -> Input[S]:
    """Return `function` of a list: at once where the list and its entries are plain, else as an output."""
    if is_unknown(entries) or any(map(is_unknown, cast("Sequence[Input[T]]", entries))):
        return Output.from_input(entries).apply(lambda known: function(list(cast("Sequence[T]", known))))
    return function(list(cast("Sequence[T]", entries)))


def mapped_object(entries: Input[Mapping[str, Input[T]]], function: Callable[[dict[str, T]], S]) -> Input[S]:
    """Return `function` of an object: at once where it and its values are plain, else as an output."""
    if is_unknown(entries) or any(map(is_unknown, cast("Mapping[str, Input[T]]", entries).values())):
        return Output.from_input(entries).apply(lambda known: function(dict(cast("Mapping[str, T]", known))))
    return function(dict(cast("Mapping[str, T]", entries)))


def checked(value: T, path: str, *rules: Rule) -> T:
    """Return the known value of an output, to which the rules of its argument are applied only now. Raises
    ArgumentError."""
    problems = list(obeys(path, value, *rules))
    if problems:
        raise ArgumentError(problems)
    return value


def merged(*tags: Tags) -> Tags:
    """Return tags of several sources; of two with the same key the last one applies."""
    if any(map(is_unknown, tags)):
        return Output.all(*tags).apply(_merged)
    return _merged(tags)


def _merged(tags: Any) -> Any:
    return {key: value for some in tags for key, value in some.items()}

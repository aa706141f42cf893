"""Topics whose keys are the arguments of a component: made from its TypedDict, not written once more.

What the environment itself knows (prefix, tags, the cluster) the topic leaves out; where an argument takes an
output of another resource, a file says the plain value.
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Awaitable, Collection, Mapping
from functools import cache
from typing import Any, ClassVar, Final, NotRequired, Required, Union, cast

import pulumi
from pydantic import ConfigDict, create_model

from stacks.settings.topic import Topic

BY_PLATFORM: Final = frozenset(
    {
        "prefix",
        "cloud",
        "region",
        "tags",
        "cluster",
        "network",
        "lakehouse",
        "mirrors",
        "protect",
        "retain_data",
        "force_destroy",
    }
)
"""Arguments that every component gets from elsewhere in the file, from its profile, or from another layer."""


class OfArguments(Topic):
    """A topic, or a part of one, whose keys are a component's arguments."""

    made_from: ClassVar[type]
    """The TypedDict that it is made from."""


def given(topic: Topic) -> dict[str, Any]:
    """The arguments that the file or its profile says; the component has the defaults of the others."""
    return topic.model_dump(exclude_none=True)


def topic_of(arguments: type, *, without: Collection[str] = ()) -> type[OfArguments]:
    """The base class of a topic that has the arguments of a component as its keys.

    arguments: the component's TypedDict. without: arguments that the platform sets itself, beside
    BY_PLATFORM. Keys that are not required may be left out, and are None then.
    """
    return _model(arguments, frozenset({*BY_PLATFORM, *without}))


@cache
def _model(arguments: type, without: frozenset[str]) -> type[OfArguments]:
    # Input[...] names these two in a string, which is read in the TypedDict's module.
    words = {"Output": pulumi.Output, "T": Any}
    hints = typing.get_type_hints(arguments, localns=words, include_extras=True)
    fields: dict[str, Any] = {}
    for name, hint in hints.items():
        if name in without:
            continue
        optional = typing.get_origin(hint) is NotRequired
        inside = typing.get_args(hint)[0] if optional or typing.get_origin(hint) is Required else hint
        plain = _plain(inside)
        fields[name] = (plain | None, None) if optional else (plain, ...)
    own = {"model_config": _configuration(arguments), "made_from": arguments, "__module__": __name__}
    base = type("OfArguments", (OfArguments,), own)
    name, told = arguments.__name__.removesuffix("Args"), arguments.__doc__
    return create_model(name, __base__=base, __doc__=told, **fields)


def _plain(hint: Any) -> Any:
    """A type as a file can say it."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        said = [each for each in inside if typing.get_origin(each) not in _LATER]
        return Union[tuple(_plain(each) for each in said)]  # noqa: UP007
    if origin in (list, dict):
        return types.GenericAlias(origin, tuple(_plain(each) for each in inside))
    if isinstance(hint, type) and hasattr(hint, "__required_keys__"):
        return _model(hint, _NOTHING)
    return hint


_NOTHING: Final[frozenset[str]] = frozenset()
_LATER: Final = (typing.get_origin(Awaitable[int]), pulumi.Output)


def _configuration(arguments: type) -> ConfigDict:
    """What a key means stands under it in the TypedDict; it is looked up only when a schema is made."""

    def explained(schema: dict[str, Any], _model: type[Any]) -> None:
        texts = descriptions(arguments)
        for name, entry in cast("Mapping[str, dict[str, Any]]", schema.get("properties", {})).items():
            if name in texts:
                entry.setdefault("description", texts[name])

    # The model is made, and has no source that pydantic could look into.
    return ConfigDict(use_attribute_docstrings=False, json_schema_extra=explained)


def descriptions(arguments: type) -> Mapping[str, str]:
    """Argument -> what the text under it says."""
    [tree] = ast.parse(inspect.getsource(arguments)).body
    assert isinstance(tree, ast.ClassDef), "a TypedDict is written as a class"  # noqa: S101
    found: dict[str, str] = {}
    for one, after in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[one.target.id] = " ".join(str(after.value.value).split())
    return found

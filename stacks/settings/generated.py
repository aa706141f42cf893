"""Topics whose keys are the arguments of a component, generated from its argument types.

A topic leaves out what the environment itself supplies (prefix, tags, the cluster). Where an argument accepts
an output of another resource, a file states the plain value.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Awaitable, Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NotRequired, Required, Union, cast

import pulumi
from pydantic import ConfigDict, Field, create_model

from stacks.settings.base import Topic

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


class ComponentTopic(Topic):
    """A topic, or an object in one, whose keys are arguments of a component. Keys that the file and its
    profile leave out have the component's default."""

    argument_type: ClassVar[type]
    """The TypedDict that it is generated from."""

    if TYPE_CHECKING:
        # The fields are generated, so their types are not known before the program runs.
        def __getattr__(self, name: str) -> Any: ...


def stated(topic: Topic) -> dict[str, Any]:
    """Return the arguments that the file or its profile states; the component has the defaults of the
    others."""
    return topic.model_dump(exclude_unset=True, exclude_none=True)


def topic_of(
    arguments: type,
    model: type | None = None,
    *,
    without: Collection[str] = (),
    required: Collection[str] = (),
) -> type[ComponentTopic]:
    """Return the base class of a topic that has the arguments of a component as its keys.

    arguments: the component's TypedDict. model: the dataclass of its checked arguments, for defaults and for
    the words that a key accepts. without: arguments that the platform sets, in addition to BY_PLATFORM,
    as dotted keys (`eks.creator_is_admin`). required: keys, dotted too, that a file has to state although the
    component has a default.
    """
    return _topic(arguments, model, frozenset({*BY_PLATFORM, *without}), frozenset(required))


_LATER: Final = (typing.get_origin(Awaitable[int]), pulumi.Output)
_MISSING: Final = dataclasses.MISSING
_CONCRETE: Final[Mapping[Any, Any]] = {Sequence: list, Mapping: dict}


@cache
def _topic(
    arguments: type, model: type | None, without: frozenset[str], required: frozenset[str]
) -> type[ComponentTopic]:
    # Input[...] names these two in a string, which is read in the module of the TypedDict.
    names = {"Output": pulumi.Output, "T": Any}
    hints = typing.get_type_hints(arguments, localns=names, include_extras=True)
    checked: Mapping[str, tuple[dataclasses.Field[Any], Any]] = _checked(model) if model is not None else {}
    fields: dict[str, Any] = {}
    for name, hint in hints.items():
        if name in without:
            continue
        optional = typing.get_origin(hint) is NotRequired and name not in required
        inside = typing.get_args(hint)[0] if typing.get_origin(hint) in (NotRequired, Required) else hint
        field, check = checked.get(name, (None, None))
        plain = _plain(inside, check, _below(without, name), _below(required, name))
        fields[name] = _field(plain, field) if optional else (plain, ...)
    namespace = {
        "model_config": _configuration(arguments),
        "argument_type": arguments,
        "__module__": __name__,
    }
    base = type("ComponentTopic", (ComponentTopic,), namespace)
    name, docstring = arguments.__name__.removesuffix("Args"), arguments.__doc__
    return create_model(name, __base__=base, __doc__=docstring, **fields)


def _below(keys: frozenset[str], name: str) -> frozenset[str]:
    """Return the keys of an object, from the dotted ones of the object around it."""
    return frozenset(key.partition(".")[2] for key in keys if key.startswith(f"{name}."))


def _checked(model: type) -> Mapping[str, tuple[dataclasses.Field[Any], Any]]:
    """Argument -> field of the checked arguments, and its annotation."""
    names = {"Output": pulumi.Output, "T": Any}
    hints = typing.get_type_hints(model, localns=names, include_extras=True)
    return {field.name: (field, hints[field.name]) for field in dataclasses.fields(model)}


def _field(plain: Any, field: dataclasses.Field[Any] | None) -> tuple[Any, Any]:
    """Return the type and the default of a key that a file may leave out."""
    if field is not None and field.default not in (_MISSING, None):
        return plain, field.default
    if field is None or field.default_factory is _MISSING:
        return plain | None, None
    factory: Any = field.default_factory
    if isinstance(plain, type) and issubclass(plain, Topic):
        factory = plain
    return cast(Any, plain), Field(default_factory=factory)


def _plain(hint: Any, check: Any, *keys: frozenset[str]) -> Any:
    """Return the type of what a file can state for an argument.

    check: the annotation of the checked argument. keys: of an object, what to leave out and what is required.
    """
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    check = _unwrapped(check)
    if origin in (Union, types.UnionType):
        members = [member for member in inside if typing.get_origin(member) not in _LATER]
        return Union[tuple(_plain(member, check, *keys) for member in members)]  # noqa: UP007
    if typing.get_origin(check) is Literal:
        return check
    if origin in (list, dict, Sequence, Mapping):
        checks = typing.get_args(check) or (None,) * len(inside)
        return types.GenericAlias(
            _CONCRETE.get(origin, origin),
            tuple(_plain(*pair, *keys) for pair in zip(inside, checks, strict=True)),
        )
    if isinstance(hint, type) and hasattr(hint, "__required_keys__"):
        return _topic(hint, check if dataclasses.is_dataclass(check) else None, *keys)
    return hint


def _unwrapped(check: Any) -> Any:
    """Return an annotation of checked arguments without rules, outputs and None."""
    while True:
        origin, inside = typing.get_origin(check), typing.get_args(check)
        if origin is Annotated:
            check = inside[0]
        elif origin in (Union, types.UnionType):
            members = [member for member in inside if typing.get_origin(member) not in _LATER]
            [check] = [member for member in members if member is not types.NoneType]
        else:
            return check


def _configuration(arguments: type) -> ConfigDict:
    """Return the configuration that describes keys by the docstrings of the TypedDict, read only when a
    schema is generated."""

    def explained(schema: dict[str, Any], _model: type[Any]) -> None:
        texts = descriptions(arguments)
        for name, entry in cast("Mapping[str, dict[str, Any]]", schema.get("properties", {})).items():
            if name in texts:
                entry.setdefault("description", texts[name])

    # A generated model has no source that pydantic could read docstrings from.
    return ConfigDict(use_attribute_docstrings=False, json_schema_extra=explained)


def descriptions(arguments: type) -> Mapping[str, str]:
    """Return the docstring below each argument, as one line."""
    [tree] = ast.parse(inspect.getsource(arguments)).body
    assert isinstance(tree, ast.ClassDef), "a TypedDict is written as a class"  # noqa: S101
    texts: dict[str, str] = {}
    for node, below in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            texts[node.target.id] = " ".join(str(below.value.value).split())
    return texts

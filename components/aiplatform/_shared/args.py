"""Read the arguments of a component: from the values of a program to a checked, frozen dataclass.

A component's public arguments are a TypedDict (so that every Pulumi language can use it). `read` turns such a
dict into a private frozen dataclass with the same keys, which has the defaults and the rules:

    @dataclass(frozen=True)
    class _Network:
        prefix: Annotated[str, naming.prefix_for(FLOW_LOGS)]
        cidr: Annotated[str, cidr_block(16, 24)] = "10.0.0.0/16"
        nat: Literal["none", "single", "per_zone"] = "single"
        vpc_id: Input[str]

        def check(self) -> Iterator[Problem]: ...      # problems that concern several keys

All problems are collected and raised in one ArgumentError, before any resource is registered. A plain value
decides the shape of the program, so an Output there is a problem; where the annotation is `Input[T]`, a
plain value is checked like any T, and an Output or awaitable is accepted; a number is checked once it is
known. None is the same as no value. UNKNOWN is accepted for a plain string, too: so arguments can be checked
that refer to what does not exist yet.

The models' annotations are read at run time: no `from __future__ import annotations` in their modules.
"""

import dataclasses
import inspect
import types
from collections.abc import Awaitable, Generator, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, ForwardRef, Literal, TypeVar, Union, cast, get_args, get_origin

from pulumi import Output

from aiplatform._shared.problems import ArgumentError as ArgumentError
from aiplatform._shared.problems import Problem as Problem
from aiplatform._shared.problems import got as got
from aiplatform._shared.problems import nearest as nearest
from aiplatform._shared.problems import with_value as with_value
from aiplatform._shared.rules import Rule as Rule
from aiplatform._shared.rules import between as between
from aiplatform._shared.rules import length as length
from aiplatform._shared.rules import matches as matches
from aiplatform._shared.rules import one_of as one_of

T = TypeVar("T")


_WORDS: Mapping[type, str] = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def read(model: type[T], value: Mapping[str, Any], where: str) -> T:
    """Return `value` as an instance of `model`. where: the name of the public type, the root of all paths.

    Raises ArgumentError with all problems.
    """
    problems: list[Problem] = []
    result = _read_model(model, value, where, problems)
    if problems or isinstance(result, _Wrong):
        raise ArgumentError(problems)
    return cast(T, result)


def distinct(value: Any) -> str | None:
    """A rule: a list has no duplicates. Outputs are not compared."""
    plain = [entry for entry in value if not is_unknown(entry)]
    twice = sorted({str(entry) for entry in plain if plain.count(entry) > 1})
    return f"which repeats {', '.join(twice)}; expected no duplicates" if twice else None


class _Unknown:
    """The type of UNKNOWN."""

    def __await__(self) -> Generator[Any, Any, Any]:
        raise RuntimeError("UNKNOWN was awaited: it is for checking arguments, not for registering resources")
        yield

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final[Any] = _Unknown()
"""A value that is known after a deployment, for checking arguments outside of a deployment. Rules skip it
as they skip an Output; unlike an Output it needs no event loop."""


def placeholder(model: type, **known: Any) -> Any:
    """Return the arguments of a reference to what does not exist yet, for `read`: UNKNOWN for every key that
    takes an Output, but for those that are known. model: a reference, such as NetworkReference."""
    outputs = [key for key, (annotation, _) in _fields(model).items() if _takes_output(annotation)]
    return {**dict.fromkeys(outputs, UNKNOWN), **known}


def is_unknown(value: object) -> bool:
    """Return whether only the engine knows a value: an Output, UNKNOWN, or an awaitable."""
    return isinstance(value, Output) or inspect.isawaitable(value)


def keys(model: type) -> frozenset[str]:
    """Return the keys that a model accepts: its fields, and of a reference also the other outputs of its
    component, which no component reads (`passed_on`)."""
    return frozenset(_fields(model)) | frozenset(getattr(model, "passed_on", ()))


def is_optional_field(model: type, name: str) -> bool:
    """Whether an argument may be left out: its field has a default."""
    _, required = _fields(model)[name]
    return not required


class _Wrong:
    """The type of a placeholder for a value with a problem, to which no further rules are applied."""


_WRONG = _Wrong()


@cache
def _fields(model: type) -> Mapping[str, tuple[Any, bool]]:
    """Name -> (annotation, required)."""
    annotations: dict[str, Any] = {}
    for base in reversed(model.__mro__):
        annotations |= inspect.get_annotations(base)
    return {
        field.name: (
            annotations[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(model)
    }


def _read_model(model: type, value: object, path: str, problems: list[Problem]) -> object:
    if isinstance(value, model):
        return value
    if not isinstance(value, Mapping):
        problems.append(
            Problem(path, f"{got(value)}; expected an object with {', '.join(sorted(keys(model)))}")
        )
        return _WRONG
    values = {str(key): entry for key, entry in cast(Mapping[Any, Any], value).items() if entry is not None}
    fields = _fields(model)
    before = len(problems)
    problems.extend(_unknown_key(key, model, path) for key in values if key not in keys(model))
    parts: dict[str, Any] = {}
    for key, (annotation, required) in fields.items():
        if key in values:
            parts[key] = _read(annotation, values[key], f"{path}.{key}", problems)
        elif required:
            problems.append(Problem(f"{path}.{key}", f"missing; expected {describe(annotation)}"))
    if len(problems) > before:
        return _WRONG
    built = model(**parts)
    # First arguments that the cloud does not support (cloud_support.py): other rules assume that it does.
    unsupported = getattr(built, "unsupported", None)
    if unsupported is not None:
        problems.extend(
            Problem(f"{path}{_joined(problem.path)}", problem.reason) for problem in unsupported(values)
        )
        if len(problems) > before:
            return _WRONG
    check = getattr(built, "check", None)
    if check is not None:
        problems.extend(Problem(f"{path}{_joined(problem.path)}", problem.reason) for problem in check())
    return built if len(problems) == before else _WRONG


def values_of_output(model: type, value: Any, path: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for a model from an object that is an output as a whole, such as a stack reference's.

    What may be an output becomes one of that output's. What decides the shape of the program is plain: as in
    `known`, or its default. The object is checked once it is known, and is refused where it contradicts that.
    """
    annotations = {key: annotation for key, (annotation, _) in _fields(model).items()}
    defaults = {field.name: field.default for field in dataclasses.fields(model)}
    plain = {
        key: None if defaults[key] is dataclasses.MISSING else defaults[key]
        for key, annotation in annotations.items()
        if not _takes_output(annotation)
    }

    def checked(resolved: Any) -> Any:
        built: Any = read(cast("type[Any]", model), resolved, path)
        # What only Google Cloud needs has no default on AWS, and is not read there.
        unread = {key for key, stated in plain.items() if stated is None and key not in known}
        expected = {**plain, **known}
        if getattr(built, "cloud", "aws") == "aws":
            expected = {key: stated for key, stated in expected.items() if key not in unread}
        problems = [
            Problem(f"{path}.{key}", _contradiction(getattr(built, key), stated, is_stated=key in known))
            for key, stated in expected.items()
            if not is_unknown(stated) and getattr(built, key) != stated
        ]
        if problems:
            raise ArgumentError(problems)
        return built

    resolved = Output.from_input(value).apply(checked)

    def value_of(key: str) -> Output[Any]:
        return resolved.apply(lambda built: getattr(built, key))

    outputs = {key: value_of(key) for key in annotations if key not in plain and key not in known}
    return {**plain, **known, **outputs}


def _contradiction(value: object, stated: object, *, is_stated: bool) -> str:
    if is_stated:
        return f"got {value!r} in an output; expected {stated!r} as the program states"
    return (
        f"got {value!r} in an output; expected it as a plain value, as it decides what is created: "
        "state it with aiplatform.references.from_output"
    )


def _joined(path: str) -> str:
    return path if not path or path.startswith("[") else f".{path}"


def _unknown_key(key: str, model: type, path: str) -> Problem:
    known = sorted(keys(model))
    blocks = [
        f"{name}.{key}"
        for name, (annotation, _) in _fields(model).items()
        if dataclasses.is_dataclass(annotation) and key in keys(cast(type, annotation))
    ]
    suggestion = f"; did you mean '{blocks[0]}'?" if blocks else nearest(key, known)
    suggestion = suggestion or f"; known keys: {', '.join(known)}"
    return Problem(f"{path}.{key}", f"unknown key{suggestion}")


def _read(annotation: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    """Check one value against one annotation; returns _WRONG after a problem."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *rules = get_args(annotation)
        result = _read(inner, value, path, problems)
        return result if is_unknown(result) else _ruled(result, rules, path, problems)
    if origin is Union or origin is types.UnionType:
        return _read_union(annotation, value, path, problems)
    if value is UNKNOWN and annotation is str:
        return value
    if is_unknown(value):
        if getattr(annotation, "may_be_output", False):
            return annotation(**values_of_output(annotation, value, path, {}))
        problems.append(
            Problem(path, f"{got(value)}; expected {describe(annotation)}: it decides what is created")
        )
        return _WRONG
    if origin is Literal:
        result = _ruled(value, [one_of(get_args(annotation))], path, problems)
        # The protocol of component plugins has only floats.
        return int(result) if isinstance(result, float) else result
    if origin in (list, tuple):
        return _read_list(annotation, value, path, problems)
    if origin in (dict, Mapping):
        return _read_map(annotation, value, path, problems)
    if dataclasses.is_dataclass(annotation):
        return _read_model(cast(type, annotation), value, path, problems)
    return _read_scalar(annotation, value, path, problems)


def _ruled(value: Any, rules: Iterable[Rule], path: str, problems: list[Problem]) -> Any:
    if isinstance(value, _Wrong):
        return value
    for rule in rules:
        reason = rule(value)
        if reason:
            problems.append(Problem(path, with_value(value, reason, path)))
            return _WRONG
    return value


def _read_union(annotation: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    """`T | None` and `Input[T]`; arguments have no other unions."""
    (inner,) = _plain_members(annotation)
    if _takes_output(annotation) and is_unknown(value):
        return value if value is UNKNOWN else _read_later(inner, value, path)
    return _read(inner, value, path, problems)


def _read_later(annotation: Any, value: Any, path: str) -> Any:
    """Return an output. A number is checked once it is known: components calculate with it, and the plugin's
    protocol transfers it as a float. Any other value is returned as it is, and left to the cloud: it may be a
    principal, which `principals` identifies by its object."""
    inner = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if inner not in (int, float):
        return value

    def checked(known: Any) -> Any:
        problems: list[Problem] = []
        result = _read(annotation, known, path, problems)
        if problems:
            raise ArgumentError(problems)
        return result

    return Output.from_input(value).apply(checked)


def _takes_output(annotation: Any) -> bool:
    return any(_is_promise(member) for member in get_args(annotation))


def _plain_members(annotation: Any) -> list[Any]:
    return [arg for arg in get_args(annotation) if not _is_promise(arg) and arg is not types.NoneType]


def _is_promise(member: Any) -> bool:
    """Return whether a member is one of the two that pulumi.Input adds to T, of which one is a forward
    reference."""
    if isinstance(member, ForwardRef):
        return member.__forward_arg__.startswith("Output")
    return get_origin(member) in (Output, Awaitable) or member in (Output, Awaitable)


def _read_list(annotation: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, (list, tuple)):
        problems.append(Problem(path, f"{got(value)}; expected {describe(annotation)}"))
        return _WRONG
    before = len(problems)
    inner = get_args(annotation)[0]
    entries = cast("list[Any]", value)
    result = [_read(inner, entry, f"{path}[{index}]", problems) for index, entry in enumerate(entries)]
    if len(problems) > before:
        return _WRONG
    return tuple(result) if get_origin(annotation) is tuple else result


def _read_map(annotation: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    entries = cast("dict[Any, Any] | None", value if isinstance(value, Mapping) else None)
    if entries is None or not all(isinstance(key, str) for key in entries):
        problems.append(Problem(path, f"{got(cast(object, value))}; expected {describe(annotation)}"))
        return _WRONG
    before = len(problems)
    inner = get_args(annotation)[1]
    result = {key: _read(inner, entry, f"{path}.{key}", problems) for key, entry in entries.items()}
    return result if len(problems) == before else _WRONG


def _read_scalar(annotation: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    if annotation is Any:
        return value
    # The protocol of component plugins has only floats.
    if annotation is int and isinstance(value, float) and value.is_integer():
        return int(value)
    accepted = (int, float) if annotation is float else annotation
    if not isinstance(value, accepted) or (isinstance(value, bool) and annotation is not bool):
        problems.append(Problem(path, f"{got(value)}; expected {describe(annotation)}"))
        return _WRONG
    return value


def describe(annotation: Any) -> str:
    """Return the description of a type in errors: `a list (a string each)`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return describe(args[0])
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    if origin is Union or origin is types.UnionType:
        return describe(_plain_members(annotation)[0])
    if origin in (list, tuple):
        return f"a list ({describe(args[0])} each)"
    if origin in (dict, Mapping):
        return f"an object ({describe(args[1])} for each key)"
    if dataclasses.is_dataclass(annotation):
        return f"an object with {', '.join(sorted(keys(cast(type, annotation))))}"
    return _WORDS.get(annotation, "a value")


def check_each(parts: Iterable[tuple[str, str | None]]) -> Iterator[Problem]:
    """Return problems, for a model's `check`. parts: pairs of a path and a reason or None."""
    for path, reason in parts:
        if reason:
            yield Problem(path, reason)


def obeys(path: str, value: Any, *rules: Rule) -> Iterator[Problem]:
    """Return the problem of a value, for a model's `check`: rules that depend on another key."""
    if not is_unknown(value):
        for rule in rules:
            reason = rule(value)
            if reason:
                yield Problem(path, with_value(value, reason, path))
                return

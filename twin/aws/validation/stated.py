"""Refusals as data: the file next to a module (`validation.toml` of `validation.py`).

A table of the file is a list of rules, by operation, or by the name with which `check` asks for them:

    [[CreateSecurityGroup]]
    refuse = "lower(GroupName) == 'default'"
    code = "InvalidParameterValue"
    words = "Cannot use reserved security group name: {GroupName}"

| member | what it states |
|---|---|
| `refuse` | JMESPath, true for what is refused; the parameters by their names |
| `each` | JMESPath of a list: the rule is about each of its members, which is `it` |
| `words` | the message; `{...}` is JMESPath |
| `code`, `status` | of the refusal; where a rule has none, those of the table `[refusal]` of the file |

Expressions that several rules use have names in `[values]`. `[operations]` gives an operation the rules of
other names. `!` binds closer than the dot: `!(source.location)`. Functions next to those of JMESPath are the
ones of `_Functions`. What is compared with a number and is not there is not refused, as JMESPath compares
numbers only.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Final
from zoneinfo import available_timezones

import jmespath
from jmespath import functions

from twin.aws.api_server.request import Refusal
from twin.aws.validation import extension_store, schedules
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
Rule = Callable[[Params, MotoState], None]
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_ANY: Final[Any] = {"types": []}


class _View:
    """moto's object, whose attributes JMESPath reads as members."""

    def __init__(self, actual: Any) -> None:
        self._actual = actual

    def get(self, name: str) -> Any:
        return _viewed(getattr(self._actual, name, None))


def _viewed(value: Any) -> Any:
    if isinstance(value, (list, tuple, set)):
        return [_viewed(member) for member in value]
    if isinstance(value, dict):
        return {key: _viewed(member) for key, member in value.items()}
    return value if isinstance(value, (str, int, float, NoneType)) else _View(value)


class _Functions(functions.Functions):
    """What looks in moto: `subnet`, `vpc` and `group` raise EC2's refusal where there is none."""

    def __init__(self, state: MotoState | None) -> None:
        self._state: Any = state

    @functions.signature(_ANY, _ANY)
    def _func_matches(self, text: Any, pattern: str) -> bool:
        return isinstance(text, str) and re.fullmatch(pattern, text) is not None

    @functions.signature(_ANY)
    def _func_recurs(self, text: Any) -> bool:
        """Whether a text is a schedule of EventBridge that recurs."""
        return schedules.is_schedule(str(text))

    @functions.signature(_ANY)
    def _func_runs(self, text: Any) -> bool:
        """Whether a text is a schedule of EventBridge, which may run once."""
        return schedules.is_schedule(str(text), once=True)

    @functions.signature(_ANY)
    def _func_is_zone(self, name: Any) -> bool:
        """Whether there is such a time zone."""
        return name in available_timezones()

    @functions.signature(_ANY)
    def _func_lower(self, text: Any) -> Any:
        return text.lower() if isinstance(text, str) else text

    @functions.signature(_ANY)
    def _func_on(self, flag: Any) -> bool:
        """Whether a flag is true, which some protocols send as text."""
        return str(flag).lower() == "true"

    @functions.signature(_ANY)
    def _func_size(self, value: Any) -> int:
        """The length of a list, 0 where there is none; of a text in bytes."""
        return len(value.encode() if isinstance(value, str) else value or ())

    @functions.signature({"types": ["number"]}, {"types": ["number"]})
    def _func_multiply(self, one: float, other: float) -> float:
        return one * other

    @functions.signature(_ANY, _ANY)
    def _func_others(self, values: Any, value: Any) -> list[Any]:
        """Those of a list that are not a value."""
        return [other for other in values or () if other != value]

    @functions.signature(_ANY)
    def _func_twice(self, values: Any) -> list[Any]:
        """What is in a list more than once."""
        return sorted({value for value in values or () if values.count(value) > 1})

    @functions.signature(_ANY)
    def _func_key(self, named: Any) -> _View | None:
        """A KMS key by id, arn or alias."""
        key = self._state.key(str(named))
        return None if key is None else _View(key)

    @functions.signature(_ANY)
    def _func_usable(self, named: Any) -> bool:
        """Whether a KMS key is there and enabled."""
        key = self._state.key(str(named))
        return key is not None and key.enabled

    def _all(self, kind: str) -> Any:
        service, _, kind = kind.rpartition(".")
        regional = service not in ("iam", "s3")
        backend = self._state.moto.backend(service or "ec2", *([self._state.region] if regional else []))
        return getattr(backend, kind)

    @functions.signature(_ANY, _ANY)
    def _func_known(self, kind: str, id: Any) -> bool:
        """Whether one of EC2's things (`amis`), or of another service (`iam.roles`), has an id."""
        return id in self._all(kind)

    @functions.signature()
    def _func_balancers(self) -> list[dict[str, Any]]:
        """The load balancers, with the ids of their subnets and groups."""
        balancers = self._state.load_balancers()
        return [
            {"name": name, "subnets": [*subnets], "groups": [*groups]} for name, subnets, groups in balancers
        ]

    @functions.signature(_ANY)
    def _func_things(self, kind: str) -> list[Any]:
        """All of a kind."""
        things = self._all(kind)
        return _viewed(list(things.values() if isinstance(things, Mapping) else things))

    @functions.signature(_ANY)
    def _func_kept(self, kind: str) -> list[Any]:
        """The descriptions of what the twin keeps in a backend of moto (`ecr.templates`)."""
        service, _, kind = kind.partition(".")
        backend = self._state.moto.backend(service, self._state.region)
        return [thing.description for thing in extension_store.resources(backend, kind).values()]

    @functions.signature(_ANY, _ANY, _ANY)
    def _func_where(self, things: Any, member: str, value: Any) -> list[Any]:
        """Those of a list of which a JMESPath has a value, or a list with it."""
        options = jmespath.Options(custom_functions=self)
        values = [_compiled(member).search(thing, options=options) for thing in things]
        return [
            thing
            for thing, known in zip(things, values, strict=True)
            if (value in known if isinstance(known, list) else value == known)
        ]

    @functions.signature(_ANY, _ANY)
    def _func_after(self, text: Any, separator: str) -> str:
        """What comes after the last separator; the whole text where there is none."""
        return str(text).rpartition(separator)[2]

    @functions.signature()
    def _func_account(self) -> str:
        return self._state.account

    @functions.signature()
    def _func_region(self) -> str:
        return self._state.region

    @functions.signature(_ANY)
    def _func_subnet(self, id: Any) -> _View:
        return _View(self._state.subnet(id))

    @functions.signature(_ANY)
    def _func_vpc(self, id: Any) -> _View:
        return _View(self._state.vpc(id))

    @functions.signature(_ANY)
    def _func_group(self, id: Any) -> _View:
        return _View(self._state.group(id))


class _Scope(dict[str, Any]):
    """The parameters, and the values of the file."""

    def __init__(
        self, params: Mapping[str, Any], values: Mapping[str, str], options: jmespath.Options
    ) -> None:
        super().__init__(params)
        self._values, self._options = values, options

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self and name in self._values:
            self[name] = self.search(self._values[name])
        return super().get(name, default)

    def search(self, expression: str) -> Any:
        return _compiled(expression).search(self, options=self._options)

    def about(self, members: str | None) -> Iterator[_Scope]:
        """Itself, or one for each member of a list."""
        for member in self.search(members) or () if members else (None,):
            yield _Scope({**self, "it": member}, self._values, self._options) if members else self

    def filled(self, words: str) -> str:
        return _PLACEHOLDER.sub(lambda match: _text(self.search(match[1])), words)


def rules(module: str, more: Mapping[str, Rule] | None = None) -> dict[str, Rule]:
    """The rules of operations in the file next to a module, and those of its code, which come after."""
    file, code = read(module), more or {}
    names = {name: [name] for name in file if name[0].isupper()}
    for operation, others in file.get("operations", {}).items():
        names[operation] = [*names.get(operation, []), *others]
    operations = {name: _rule(module, stated, code.get(name)) for name, stated in names.items()}
    return {**code, **operations}


def check(module: str, name: str, params: Mapping[str, Any], state: MotoState | None = None) -> None:
    """Raise the Refusal of the first rule of this name that is broken. state: for what looks in moto."""
    file = read(module)
    options = jmespath.Options(custom_functions=_Functions(state))
    scope = _Scope(params, file.get("values", {}), options)
    for rule in file[name]:
        for part in scope.about(rule.get("each")):
            if part.search(rule["refuse"]) not in (None, False, "", [], {}):
                refusal = {**file.get("refusal", {}), **rule}
                raise Refusal(refusal["code"], part.filled(rule["words"]), refusal.get("status", 400))


def _rule(module: str, names: list[str], after: Rule | None) -> Rule:
    def refuse(params: Params, state: MotoState) -> None:
        for name in names:
            check(module, name, params, state)
        if after:
            after(params, state)

    return refuse


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@cache
def read(module: str) -> dict[str, Any]:
    """The file next to a module."""
    file = Path(sys.modules[module].__file__ or "").with_suffix(".toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def _compiled(expression: str) -> Any:
    if re.search(r"!\w+\.", expression):
        raise ValueError(f"{expression}: `!a.b` is `(!a).b`; expected `!(a.b)`")
    return jmespath.compile(expression)

"""What the provider refuses of a type's inputs, as its entry states: `ranges`, `choices`, `policies` and
`refused` (twin/aws/resources/entry.py). The words are those of the provider's schema where
`refused` has none.

UNKNOWN counts as a value that is given, and passes all else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath

from twin.aws.resources.documents import document_failures
from twin.core.schema_facts import at
from twin.provider_interface import UNKNOWN, Failure, Props

_ANY: Final = "*"


@dataclass(frozen=True)
class Refused:
    """A combination that is refused.

    forbidden: properties of which none may be there. missing: of which each must be. patterns: property ->
    what its text has to match as a whole. when, unless: property -> the value, or the values, with which the
    rule applies, or does not; "" is no value, "*" any. refuse: JMESPath of the inputs that is true for what
    is refused, at the property `path`. reason: with `{path}`, `{name}` and `{value}`, next to `refuse` with
    properties.
    """

    reason: str = ""
    forbidden: Sequence[str] = ()
    missing: Sequence[str] = ()
    patterns: Mapping[str, str] = field(default_factory=dict[str, str])
    when: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unless: Mapping[str, Any] = field(default_factory=dict[str, Any])
    refuse: str = ""
    path: str = ""

    def failures(self, inputs: Props) -> Iterator[Failure]:
        """What of it is in these inputs."""
        if not all(_is(inputs, *item, False) for item in self.when.items()):
            return
        if self.unless and all(_is(inputs, *item, True) for item in self.unless.items()):
            return
        if self.refuse and jmespath.search(self.refuse, inputs):
            yield Failure(self.path, _filled(self.reason, inputs))
        for path in self.forbidden:
            yield from (
                self._failure(*member) for member in _at(inputs, path) if member[1] is UNKNOWN or member[1]
            )
        for path in self.missing:
            yield from (self._failure(*member) for member in _at(inputs, path) if member[1] in (None, "", []))
        for path, pattern in self.patterns.items():
            for where, value in _at(inputs, path):
                if isinstance(value, str) and not re.fullmatch(pattern, value):
                    yield self._failure(where, value)

    def _failure(self, where: str, value: Any) -> Failure:
        name = _snake(where)
        reason = self.reason or f'"{name}": required field is not set'
        return Failure(where, reason.format(path=where, name=name, value=value))


def _filled(reason: str, inputs: Props) -> str:
    values = {path: jmespath.search(path, inputs) for path in re.findall(r"\{([\w.]+)\}", reason)}
    return re.sub(r"\{([\w.]+)\}", lambda match: _text(values[match[1]]), reason)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def of_ranges(ranges: Mapping[str, Sequence[float]], inputs: Props) -> Iterator[Failure]:
    """Numbers that are out of a range; one without an upper bound has one number."""
    for path, (least, *most) in ranges.items():
        for where, value in _at(inputs, path):
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if is_number and (value < least or (most and value > most[0])):
                words = f"in the range ({least} - {most[0]})" if most else f"at least ({least})"
                yield Failure(where, f"expected {_snake(where)} to be {words}, got {value:g}")


def of_choices(choices: Mapping[str, Sequence[Any]], inputs: Props) -> Iterator[Failure]:
    """Values that are none of those that a property may have."""
    for path, allowed in choices.items():
        for where, value in _at(inputs, path):
            kind = str if isinstance(allowed[0], str) else (int, float)
            if isinstance(value, kind) and value not in allowed:
                choices_text = " ".join(json.dumps(choice) for choice in allowed)
                yield Failure(where, f"expected {_snake(where)} to be one of [{choices_text}], got {value}")


def of_policies(policies: Mapping[str, Mapping[str, Any]], inputs: Props) -> Iterator[Failure]:
    """Policy documents that are none."""
    for path, options in policies.items():
        for where, value in _at(inputs, path):
            yield from document_failures(where, value, **options)


def _at(inputs: Props, path: str) -> Iterator[tuple[str, Any]]:
    # The values at a path, None where only the object is there that it would be in.
    *parents, name = path.split(".")
    for where, parent in at(inputs, parents):
        if isinstance(parent, Mapping):
            members: Mapping[str, Any] = parent
            yield (f"{where}.{name}" if where else name), members.get(name)


def _is(inputs: Props, path: str, wanted: Any, unknown: bool) -> bool:
    # Whether the value at a path is the wanted one, or one of the wanted ones.
    value = next((actual for _, actual in _at(inputs, path)), None)
    if value is UNKNOWN:
        return unknown or wanted == _ANY
    if wanted == _ANY:
        return value not in (None, "", [])
    value = "" if value is None else value
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _snake(path: str) -> str:
    """`rule.daysLeft` as the provider's schema calls it: `rule.0.days_left`."""
    name = re.sub(r"\[(\d+)\]", r".\1", path)
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: f"_{m[1].lower()}", name)
    return re.sub(r"(?<=[a-z])\.(?=[a-z])", ".0.", name)

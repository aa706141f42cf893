"""What a resource must hold, by rules of methods.toml: a field (`a.b[].c`), and what is demanded of it.

    {field = "filter", needed = true}                  it must be there
    {field = "mode", one_of = ["A", "B"]}              a value of these
    {field = "days", range = [1, 3650]}                a number
    {field = "kept", seconds = [600, 86400]}           a duration (`3600s`)
    {field = "title", longest = 100}                   a text
    {field = "uri", matches = "https://.+", right = "https://HOST is right"}
    {field = "rules", most = 20}                       a list
    {field = "topic", exists = "pubsub", missing = "Topic {value} was not found."}
    {field = "filter", filter = "logging"}             a filter of a service, by filters.py
    {field = "", exactly_one = ["a", "b"]}             fields of an object, of which one is set; `at_most_one`

A rule holds where the field is set; `when = {mode = "REMOTE"}` restricts it to resources with these values,
and `words` are others than the usual ones of the refusal ({path}, {value}). The old APIs (Compute) word it
otherwise than the gRPC services.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, bad_field, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import filters

Rule = Mapping[str, Any]
_EMPTY: Final[tuple[Any, ...]] = ("", [], {})


@dataclass(frozen=True)
class _FieldValue:
    """A value that a rule is about. path: as the API writes it. old: whether it is one of the old APIs."""

    call: Call
    rule: Rule
    path: str
    value: Any
    old: bool

    def refused(self, words: str, old: str, **more: Any) -> GoogleError:
        """The refusal: with the rule's own words, or these of a gRPC service, or these of an old API."""
        more = {"path": self.path, "value": self.value, **more}
        if "words" not in self.rule and self.old:
            return bad_field(self.path, self.value, old.format(**more))
        return invalid(self.rule.get("words", words).format(**more))


def check(call: Call, body: Body, rules: Sequence[Rule], around: str = "", *, old: bool = False) -> None:
    """Raise 400 or 404 for the first rule that does not hold. around: in front of paths (`secret.`)."""
    for rule in rules:
        if any(body.get(name) != value for name, value in rule.get("when", {}).items()):
            continue
        field_values = list(values(body, rule["field"]))
        if not field_values and rule.get("needed"):
            path = f"resource.{rule['field']}" if old else around + snake(rule["field"])
            words = "Required field '{path}' not specified" if old else "{path} must be specified."
            raise invalid(rule.get("words", words).format(path=path, value=""), reason="required")
        for where, value in field_values:
            path = f"resource.{where}" if old else around + snake(where)
            for kind, demand in DEMANDS.items():
                if kind in rule:
                    demand(_FieldValue(call, rule, path, value, old))


def values(body: Any, path: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of all that is set at a dotted path, with `[]` for lists and `{}` for maps."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]").removesuffix("{}")
    around: dict[str, Any] = body if isinstance(body, dict) else {}
    value: Any = around.get(name) if name else body
    if value is None or (name and value in _EMPTY):
        return
    where = f"{prefix}.{name}" if prefix and name else prefix or name
    inside: list[tuple[str, Any]] = [(where, value)]
    if head.endswith("[]"):
        inside = [(f"{where}[{index}]", element) for index, element in enumerate(value)]
    elif head.endswith("{}"):
        inside = [(f"{where}[{key}]", element) for key, element in value.items()]
    for place, entry in inside:
        if rest:
            yield from values(entry, rest, place)
        else:
            yield place, entry


def snake(path: str) -> str:
    """A path as the gRPC services write it: `message_retention_duration`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", path)


def seconds(text: Any) -> float:
    """Of a duration (`604800s`)."""
    return float(str(text or "0s").removesuffix("s"))


def _one_of(field_value: _FieldValue) -> None:
    if field_value.value not in field_value.rule["one_of"]:
        choices = ", ".join(choice for choice in field_value.rule["one_of"] if choice)
        words = "Invalid {path} '{value}': one of {listed} is right."
        raise field_value.refused(words, "Must be one of {listed}.", listed=choices)


def _range(field_value: _FieldValue) -> None:
    least, most = field_value.rule["range"]
    if not least <= float(field_value.value) <= most:
        words = f"{{path}} must be from {least} to {most}, got {{value}}."
        raise field_value.refused(words, f"Must be from {least} to {most}.")


def _seconds(field_value: _FieldValue) -> None:
    least, most = field_value.rule["seconds"]
    if not least <= seconds(field_value.value) <= most:
        words = f"{{path}} must be from {least}s to {most}s, got {{value}}."
        raise field_value.refused(words, f"Must be from {least}s to {most}s.")


def _longest(field_value: _FieldValue) -> None:
    most, size = field_value.rule["longest"], len(str(field_value.value))
    if size > most:
        words = f"{{path}} must have at most {most} characters, it has {size}."
        raise field_value.refused(words, f"Must have at most {most} characters.")


def _matches(field_value: _FieldValue) -> None:
    pattern = field_value.rule["matches"]
    if not re.fullmatch(pattern, str(field_value.value)):
        right = field_value.rule.get("right", f"it must match {pattern}")
        raise field_value.refused("Invalid {path} '{value}': {right}.", "{right}.", right=right)


def _most(field_value: _FieldValue) -> None:
    most = field_value.rule["most"]
    if len(field_value.value) > most:
        words = f"{{path}}: at most {most} are allowed, got {len(field_value.value)}."
        raise field_value.refused(words, f"At most {most} are allowed.")


def _exists(field_value: _FieldValue) -> None:
    if field_value.call.state.get(f"{field_value.rule['exists']}/{field_value.value}") is None:
        words = field_value.rule.get("missing", "Resource '{value}' was not found.")
        raise not_found(words.format(value=field_value.value, last=str(field_value.value).rpartition("/")[2]))


def _filter(field_value: _FieldValue) -> None:
    filters.check(field_value.rule["filter"], str(field_value.value), field_value.path)


def _exactly_one(field_value: _FieldValue) -> None:
    names = field_value.rule["exactly_one"]
    set_names = [name for name in names if field_value.value.get(name) is not None]
    if len(set_names) != 1:
        words = "Exactly one of {listed} must be set, got {given}."
        raise field_value.refused(
            words, words, listed=", ".join(map(snake, names)), given=set_names or "none"
        )


def _at_most_one(field_value: _FieldValue) -> None:
    names = field_value.rule["at_most_one"]
    set_names = [snake(name) for name in names if field_value.value.get(name)]
    if len(set_names) > 1:
        words = "Only one of {listed} can be set, got {given}."
        raise field_value.refused(words, words, listed=", ".join(map(snake, names)), given=set_names)


DEMANDS: Final[Mapping[str, Callable[[_FieldValue], None]]] = {
    "one_of": _one_of,
    "range": _range,
    "seconds": _seconds,
    "longest": _longest,
    "matches": _matches,
    "most": _most,
    "exists": _exists,
    "filter": _filter,
    "exactly_one": _exactly_one,
    "at_most_one": _at_most_one,
}

"""What a resource must hold, by rules of methods.toml and rules.toml: a field (`a.b[].c`), and its demands.

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
    {when = {a = true}, enabled = "pubsub.googleapis.com"}         an API that the project has enabled
    {when = {a = true, b = true}, words = "a and b exclude each other."}         it is refused

A rule holds where the field is set; `when` restricts it to resources with these values (twin.gcp.conditions).
`within` is the path of the objects that the rule is about, by default the resource. `words` are others than
the usual ones of the refusal ({path}, {value}, {body} for the object); `bad` are those after the field and
its value. The old APIs (Compute) word refusals otherwise than the gRPC services.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twin.gcp.api_server.errors import bad_field, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.conditions import hold
from twin.gcp.methods import filters

Rule = Mapping[str, Any]
_EMPTY: Final[tuple[Any, ...]] = ("", [], {})


@dataclass(frozen=True)
class _Demand:
    """What is demanded of a value. words, old: of the refusal by a gRPC service and by an old API."""

    met: Callable[[Any, Any], bool]
    words: str
    old: str


def _stated(value: Body, names: Sequence[str]) -> list[str]:
    return [name for name in names if value.get(name) is not None]


def seconds(text: Any) -> float:
    """Of a duration (`604800s`)."""
    return float(str(text or "0s").removesuffix("s"))


_ONE: Final = "Exactly one of {listed} must be set, got {given}."
_ONE_AT_MOST: Final = "Only one of {listed} can be set, got {given}."
DEMANDS: Final[Mapping[str, _Demand]] = {
    "one_of": _Demand(
        lambda value, choices: value in choices,
        "Invalid {path} '{value}': one of {listed} is right.",
        "Must be one of {listed}.",
    ),
    "range": _Demand(
        lambda value, ends: ends[0] <= float(value) <= ends[1],
        "{path} must be from {demand[0]} to {demand[1]}, got {value}.",
        "Must be from {demand[0]} to {demand[1]}.",
    ),
    "seconds": _Demand(
        lambda value, ends: ends[0] <= seconds(value) <= ends[1],
        "{path} must be from {demand[0]}s to {demand[1]}s, got {value}.",
        "Must be from {demand[0]}s to {demand[1]}s.",
    ),
    "longest": _Demand(
        lambda value, most: len(str(value)) <= most,
        "{path} must have at most {demand} characters, it has {size}.",
        "Must have at most {demand} characters.",
    ),
    "matches": _Demand(
        lambda value, pattern: re.fullmatch(pattern, str(value)) is not None,
        "Invalid {path} '{value}': {right}.",
        "{right}.",
    ),
    "most": _Demand(
        lambda value, most: len(value) <= most,
        "{path}: at most {demand} are allowed, got {size}.",
        "At most {demand} are allowed.",
    ),
    "exactly_one": _Demand(lambda value, names: len(_stated(value, names)) == 1, _ONE, _ONE),
    "at_most_one": _Demand(
        lambda value, names: sum(bool(value.get(name)) for name in names) < 2, _ONE_AT_MOST, _ONE_AT_MOST
    ),
    "refused": _Demand(lambda _value, _demand: False, "{path} is not allowed.", "It is not allowed."),
}
_OTHERS: Final = ("needed", "exists", "filter", "enabled")


def check(
    call: Call, body: Body, rules: Sequence[Rule], around: str = "", *, old: bool = False, camel: bool = False
) -> None:
    """Raise 400 or 404 for the first rule that does not hold.

    around: in front of paths (`secret.`). old: for an old API. camel: whether paths are as in the request.
    """
    start = around or ("resource." if old else "")
    for rule in rules:
        for place, part in values(body, rule.get("within", "")):
            if hold(part, rule.get("when", {})):
                _apply(call, part, rule, f"{start}{place}." if place else start, old, camel)


def _apply(call: Call, body: Body, rule: Rule, start: str, old: bool, camel: bool) -> None:
    field = rule.get("field", "")
    stated = list(values(body, field))
    if not stated and rule.get("needed"):
        path = start + (field if old or camel else snake(field))
        words = "Required field '{path}' not specified" if old else "{path} must be specified."
        raise invalid(rule.get("words", words).format(path=path, value=""), reason="required")
    kinds = [kind for kind in DEMANDS if kind in rule]
    if not kinds and not rule.keys() & {*_OTHERS}:
        kinds, stated = ["refused"], stated or [(field, None)]
    for where, value in stated:
        path = (start + (where if old or camel else snake(where))).rstrip(".")
        if "enabled" in rule:
            call.need_enabled(rule["enabled"])
        if "exists" in rule and call.state.get(f"{rule['exists']}/{value}") is None:
            words = rule.get("missing", "Resource '{value}' was not found.")
            raise not_found(words.format(value=value, last=str(value).rpartition("/")[2]))
        if "filter" in rule:
            filters.check(rule["filter"], str(value), path)
        for kind in kinds:
            _demand(kind, rule, path, value, body, old)


def _demand(kind: str, rule: Rule, path: str, value: Any, body: Body, old: bool) -> None:
    """Refuse a value that does not meet a demand."""
    demand = DEMANDS[kind]
    expected: Any = rule.get(kind)
    if demand.met(value, expected):
        return
    of_object = kind in ("exactly_one", "at_most_one")
    set_fields = _stated(value, expected) if of_object else []
    named: list[str] = [name for name in expected if name] if isinstance(expected, list | tuple) else []
    details: dict[str, Any] = {
        "path": path,
        "value": value,
        "body": defaultdict(lambda: "none", body),
        "demand": expected,
        "size": len(value if isinstance(value, list | dict) else str(value)),
        "right": rule.get("right", f"it must match {expected}"),
        "listed": ", ".join(snake(name) if of_object else str(name) for name in named),
        "given": set_fields or "none",
    }
    if "bad" in rule or (old and "words" not in rule):
        raise bad_field(path, value, rule.get("bad", demand.old).format(**details))
    raise invalid(rule.get("words", demand.words).format(**details), reason=rule.get("reason", "invalid"))


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

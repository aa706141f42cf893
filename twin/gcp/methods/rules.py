"""What a resource must hold, by rules of methods.toml: a field (`a.b[].c`), and what is demanded of it.

    {field = "filter", needed = true}                  it must be there
    {field = "mode", one_of = ["A", "B"]}              a value of these
    {field = "days", range = [1, 3650]}                a number
    {field = "kept", seconds = [600, 86400]}           a duration (`3600s`)
    {field = "title", longest = 100}                   a text
    {field = "uri", matches = "https://.+", right = "https://HOST is right"}
    {field = "rules", most = 20}                       a list
    {field = "topic", exists = "pubsub", missing = "Topic {value} was not found."}
    {field = "", exactly_one = ["a", "b"]}             fields of an object, of which one is set; `at_most_one`

A rule holds where the field is set; `when = {mode = "REMOTE"}` restricts it to resources with these values,
and `words` are others than the usual ones of the refusal ({path}, {value}).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body

Rule = Mapping[str, Any]


def check(call: Call, body: Body, rules: Sequence[Rule], around: str = "") -> None:
    """Raise 400 or 404 for the first rule that does not hold. around: in front of paths (`secret.`)."""
    for rule in rules:
        if any(body.get(name) != value for name, value in rule.get("when", {}).items()):
            continue
        found = list(values(body, rule["field"]))
        if not found and rule.get("needed"):
            path = around + snake(rule["field"])
            words = rule.get("words", "{path} must be specified.")
            raise invalid(words.format(path=path, value=""), reason="required")
        for where, value in found:
            for kind, demand in _DEMANDS.items():
                if kind in rule:
                    demand(call, rule, around + snake(where), value)


def values(body: Any, path: str, shown: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of all that is set at a dotted path, with `[]` for lists and `{}` for maps."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]").removesuffix("{}")
    value = body if not name else body.get(name) if isinstance(body, dict) else None
    if value is None or (value in ("", [], {}) and name):
        return
    where = f"{shown}.{name}" if shown and name else shown or name
    if head.endswith("[]"):
        inside = [(f"{where}[{index}]", each) for index, each in enumerate(value)]
    elif head.endswith("{}"):
        inside = [(f"{where}[{key}]", each) for key, each in value.items()]
    else:
        inside = [(where, value)]
    for place, each in inside:
        if rest:
            yield from values(each, rest, place)
        else:
            yield place, each


def snake(path: str) -> str:
    """A path as the gRPC services write it: `message_retention_duration`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", path)


def seconds(text: Any) -> float:
    """Of a duration (`604800s`)."""
    return float(str(text or "0s").removesuffix("s"))


def _refused(rule: Rule, words: str, path: str, value: Any, **more: Any) -> Exception:
    return invalid(rule.get("words", words).format(path=path, value=value, **more))


def _one_of(_: Call, rule: Rule, path: str, value: Any) -> None:
    if value not in rule["one_of"]:
        listed = ", ".join(each for each in rule["one_of"] if each)
        raise _refused(
            rule, "Invalid {path} '{value}': one of {listed} is right.", path, value, listed=listed
        )


def _range(_: Call, rule: Rule, path: str, value: Any) -> None:
    least, most = rule["range"]
    if not least <= float(value) <= most:
        raise _refused(rule, f"{{path}} must be from {least} to {most}, got {{value}}.", path, value)


def _seconds(_: Call, rule: Rule, path: str, value: Any) -> None:
    least, most = rule["seconds"]
    if not least <= seconds(value) <= most:
        raise _refused(rule, f"{{path}} must be from {least}s to {most}s, got {{value}}.", path, value)


def _longest(_: Call, rule: Rule, path: str, value: Any) -> None:
    if len(str(value)) > rule["longest"]:
        words = f"{{path}} must have at most {rule['longest']} characters, it has {len(str(value))}."
        raise _refused(rule, words, path, value)


def _matches(_: Call, rule: Rule, path: str, value: Any) -> None:
    if not re.fullmatch(rule["matches"], str(value)):
        right = rule.get("right", f"it must match {rule['matches']}")
        raise _refused(rule, "Invalid {path} '{value}': {right}.", path, value, right=right)


def _most(_: Call, rule: Rule, path: str, value: Any) -> None:
    if len(value) > rule["most"]:
        raise _refused(rule, f"{{path}}: at most {rule['most']} are allowed, got {len(value)}.", path, value)


def _exists(call: Call, rule: Rule, path: str, value: Any) -> None:
    if call.state.get(f"{rule['exists']}/{value}") is None:
        words = rule.get("missing", "Resource '{value}' was not found.")
        raise not_found(words.format(path=path, value=value, last=str(value).rpartition("/")[2]))


def _exactly_one(_: Call, rule: Rule, path: str, value: Any) -> None:
    names = rule["exactly_one"]
    given = [name for name in names if value.get(name) is not None]
    if len(given) != 1:
        listed = ", ".join(snake(name) for name in names)
        words = "Exactly one of {listed} must be set, got {given}."
        raise _refused(rule, words, path, value, listed=listed, given=given or "none")


def _at_most_one(_: Call, rule: Rule, path: str, value: Any) -> None:
    given = [snake(name) for name in rule["at_most_one"] if value.get(name)]
    if len(given) > 1:
        listed = ", ".join(snake(name) for name in rule["at_most_one"])
        raise _refused(
            rule, "Only one of {listed} can be set, got {given}.", path, value, listed=listed, given=given
        )


_DEMANDS: Final[Mapping[str, Callable[[Call, Rule, str, Any], None]]] = {
    "one_of": _one_of,
    "range": _range,
    "seconds": _seconds,
    "longest": _longest,
    "matches": _matches,
    "most": _most,
    "exists": _exists,
    "exactly_one": _exactly_one,
    "at_most_one": _at_most_one,
}

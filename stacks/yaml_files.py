"""Read a YAML file of environments: `python -m stacks.yaml_files FILE` prints what is wrong with its YAML and
with the keys at its top.

Pulumi reads an environment's file first, by Go's rules (gopkg.in/yaml.v3): what it passes on as something
else than is written is found here. The command imports nothing of the program, so that it answers at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.scanner import Scanner

from stacks.suggestions import nearest

FOLDER: Final = "environments"
TOP_LEVEL: Final = ("config", "secretsprovider", "encryptionsalt", "encryptedkey", "environment")
"""Pulumi's own keys at the top of a stack file."""
# The forms of yaml.v3's parseTimestamp: two digits of month and day may be one, a date alone is enough.
_DATE: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})([Tt]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[+-]\d\d:\d\d)"
    r"| \d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?)?"
)
_SHORT_DATE: Final = re.compile(r"\d{4}-(\d-\d{1,2}|\d\d-\d)")
"""Dates of Go that YAML 1.2 reads as text."""
_OF_GO: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) [+-]\d{4} \S+")
"""A time as Go prints it, `2026-11-25 00:00:00 +0000 UTC`: as a date without quotes arrives."""
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9_]+")
_LARGEST_EXACT: Final = 2**53
_EXPECTED: Final[tuple[tuple[str, str], ...]] = (
    (r"found character '\\t'", "a tab; expected spaces for the indentation"),
    (
        r"found character '(?P<what>.)' that cannot start",
        "a value that begins with {what}; expected it in quotes",
    ),
    (
        r"mapping values are not allowed",
        "a second `: ` in a line; expected a value that contains it in quotes, and a key below another one "
        "on the next line",
    ),
    (
        r"expected ',' or '(?P<what>[\]}])', but got",
        "a list or an object that is not closed; expected `,` or `{what}`",
    ),
    (r"found unexpected end of stream", "a quote that is not closed; expected one at the end of the text"),
    (
        r"found undefined alias '(?P<what>.*)'",
        "an unknown alias *{what}; expected the anchor &{what} above it",
    ),
    (
        r"expected <block end>|inconsistent",
        "indented differently than the keys above; expected the same number of spaces",
    ),
    (r"another document", "a second document; expected a single one, without `---` in between"),
    (r"could not find expected ':'", "a line without `:`; expected `key: value`"),
    (
        r"unknown escape character",
        "a backslash in double quotes; expected two, or the text in single quotes",
    ),
    (r"found unhashable key", "a list or an object as a key; expected text, `{{...}}` in quotes"),
    (r"special characters are not allowed", "a control character; expected text in UTF-8"),
)
"""Problem of ruamel.yaml -> what is wrong, and what is expected."""


class UnreadableError(Exception):
    """A file that is no YAML. line: from 1; None where it is not known. path: the key, or empty."""

    def __init__(self, line: int | None, path: str, reason: str) -> None:
        self.line, self.path, self.reason = line, path, reason
        super().__init__(reason)

    def at(self, file: str) -> str:
        """Return the problem with its place: `environments/Pulumi.aws-dev.yaml:3: no valid YAML: ...`."""
        place = file if self.line is None else f"{file}:{self.line}"
        return f"{place}: {self.path or 'no valid YAML'}: {self.reason}"


class Rewritten(str):
    """The text of a scalar without quotes that Pulumi passes on as something else. passed: as it arrives."""

    __slots__ = ("passed",)
    passed: object

    def __new__(cls, text: str, passed: object) -> Rewritten:
        """Return the text, with what arrives."""
        created = super().__new__(cls, text)
        created.passed = passed
        return created

    def __deepcopy__(self, _memo: object) -> Rewritten:
        return self

    @property
    def reason(self) -> str:
        """What is wrong with it."""
        arrives = f"got {self} without quotes, which arrives as {self.passed!r}"
        if isinstance(self.passed, int):
            return f'{arrives}; expected text in quotes, "{self}", or a number without the leading zero'
        return f'{arrives}; expected it in quotes: "{self}"'


def of_go(value: object) -> Rewritten | None:
    """Return the date that a text of the engine's configuration was written as, without quotes; None for
    other values."""
    match = _OF_GO.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    day, time = match.groups()
    return Rewritten(day if time == "00:00:00" else f"{day}T{time}Z", value)


def _date(text: str) -> Rewritten | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, time, *_ = match.groups()
    arrives = f"{year}-{int(month):02}-{int(day):02} "
    # Of a time Go prints the zone's name too; the day is enough to recognise it.
    return Rewritten(text, arrives + "00:00:00 +0000 UTC" if time is None else arrives + time[1:])


def _octal(text: str) -> Rewritten:
    digits = text.replace("_", "")
    # With a digit that no octal number has, Go reads a decimal one.
    return Rewritten(text, int(digits, 10 if set("89") & set(digits) else 8))


# ruamel.yaml states no types.
_Base: Any = RoundTripConstructor


class _Constructor(_Base):
    """Reads scalars as Pulumi does, and keeps the text of those that it rewrites."""

    def check_mapping_key(self, node: Any, key_node: Any, mapping: Any, key: Any, value: Any) -> bool:
        if key_node.id != "scalar":
            raise ConstructorError(None, None, "found unhashable key", key_node.start_mark)
        base: Any = super()
        return bool(base.check_mapping_key(node, key_node, mapping, key, value))

    def construct_date(self, node: Any) -> Any:
        return _date(node.value) or node.value

    def construct_text(self, node: Any) -> Any:
        is_date = node.style is None and _SHORT_DATE.fullmatch(node.value)
        return (_date(node.value) if is_date else None) or self.construct_yaml_str(node)

    def construct_number(self, node: Any) -> Any:
        return _octal(node.value) if _LEADING_ZERO.fullmatch(node.value) else self.construct_yaml_int(node)

    def construct_fraction(self, node: Any) -> Any:
        # JSON, in which Pulumi passes values on, has one kind of number: 60.0 and 6e1 arrive as 60.
        value = self.construct_yaml_float(node)
        return int(value) if abs(value) < _LARGEST_EXACT and value == int(value) else value


for _tag, _method in {
    "timestamp": _Constructor.construct_date,
    "str": _Constructor.construct_text,
    "int": _Constructor.construct_number,
    "float": _Constructor.construct_fraction,
}.items():
    _Constructor.add_constructor(f"tag:yaml.org,2002:{_tag}", _method)


def load(file: Path) -> Any:
    """Return the document of a file. Raises UnreadableError, and FileNotFoundError."""
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    # That of round trips collects comments, which takes a quarter of the time.
    yaml.Scanner = Scanner
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UnreadableError(None, "", "other characters than UTF-8 has; expected text in UTF-8") from None
    try:
        return cast("Any", yaml).load(text)
    except DuplicateKeyError as error:
        raise _duplicate(text, error) from None
    except YAMLError as error:
        raise _unreadable(error) from None


def text_of(value: Any) -> Any:
    """Return the text of a scalar with a tag, which Pulumi ignores; other values as they are."""
    return cast("Any", value).value if isinstance(value, TaggedScalar) else value


def key_text(name: Any) -> str:
    """Return a key as Pulumi passes it on: as text, a number or a boolean too."""
    if isinstance(name, bool):
        return str(name).lower()
    return name if isinstance(name, str) else str(text_of(name))


def unknown_keys(file: str, document: Mapping[str, Any]) -> list[str]:
    """Return the problems of keys at the top of a file that Pulumi ignores; each with its place."""
    lines: Any = getattr(document, "lc", None)
    unknown = {name: key_text(name) for name in document if name not in TOP_LEVEL}
    return [
        f"{file}:{1 + int(lines.key(name)[0])}: {text}: unknown key{nearest(text, TOP_LEVEL)}"
        for name, text in unknown.items()
    ]


def displayed(file: Path) -> str:
    """Return the path of a file as errors print it: `environments/Pulumi.aws-dev.yaml`."""
    return f"{FOLDER}/{file.name}" if file.parent.name == FOLDER else str(file)


def problems(file: Path) -> list[str]:
    """Return what is wrong with the YAML of a file, or with the keys at its top; each with its place."""
    place = displayed(file)
    try:
        document = load(file)
    except UnreadableError as error:
        return [error.at(place)]
    if not isinstance(document, Mapping):
        return [not_an_object(place, document)]
    return unknown_keys(place, cast("Mapping[str, Any]", document))


def not_an_object(place: str, document: object) -> str:
    """Return the problem of a file whose document is no object."""
    got = "empty" if document is None else "got no object"
    return f"{place}: {got}; expected an object with the key config"


def _unreadable(error: YAMLError) -> UnreadableError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = " ".join(
        str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).split()
    )
    line = None if mark is None else mark.line + 1
    for pattern, reason in _EXPECTED:
        match = re.search(pattern, problem)
        if match:
            what = match.groupdict()
            return UnreadableError(line, "", reason.format(**what) if what else reason)
    return UnreadableError(line, "", f"{problem}; expected YAML")


def _duplicate(text: str, error: DuplicateKeyError) -> UnreadableError:
    """Return the problem of a key that an object has twice: without the values, which may be secrets."""
    mark = cast("Any", error).problem_mark
    root: Any = cast("Any", YAML(typ="rt")).compose(text)
    for path, keys in _objects(root, ()):
        for at, key in enumerate(keys):
            if (key.start_mark.line, key.start_mark.column) == (mark.line, mark.column):
                first = next(other for other in keys[:at] if other.value == key.value).start_mark.line + 1
                dotted = ".".join([*path, str(key.value)]).removeprefix("config.").removeprefix("shared.")
                reason = f"stated a second time, first in line {first}; expected each key once"
                return UnreadableError(mark.line + 1, dotted.removeprefix("ai-platform:"), reason)
    return UnreadableError(mark.line + 1, "", "a key that is stated twice; expected each key once")


def _objects(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield the path and the nodes of the keys of every object."""
    if node.id == "mapping":
        yield path, [key for key, _ in node.value]
        for key, value in node.value:
            yield from _objects(value, (*path, str(key.value)))
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            yield from _objects(value, (*path[:-1], f"{path[-1]}[{index}]") if path else (f"[{index}]",))


if __name__ == "__main__":
    wrong = problems(Path(sys.argv[1]))
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    sys.exit(1 if wrong else 0)

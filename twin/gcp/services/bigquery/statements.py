"""Statements of GoogleSQL that change a table's shape: read, without doing anything.

What the twin executes is what declares columns and policies; any other statement is refused as not in the
twin. Source: "Data definition language (DDL) statements in GoogleSQL".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twin.gcp.api_server.errors import invalid

_NAME: Final = r"(?:`[^`]+`|[\w.-]+)"
_ALTER: Final = re.compile(rf"ALTER\s+TABLE\s+(IF\s+EXISTS\s+)?({_NAME})\s+(.*)", re.I | re.S)
_ADD: Final = re.compile(
    rf"ADD\s+COLUMN\s+(IF\s+NOT\s+EXISTS\s+)?({_NAME})\s+(\w+(?:\s*\([^)]*\))?)(?:\s+OPTIONS\s*\((.*)\))?",
    re.I | re.S,
)
_SET: Final = re.compile(
    rf"ALTER\s+COLUMN\s+(IF\s+EXISTS\s+)?({_NAME})\s+SET\s+OPTIONS\s*\((.*)\)", re.I | re.S
)
_LOSE: Final = re.compile(rf"DROP\s+COLUMN\s+(IF\s+EXISTS\s+)?({_NAME})", re.I)
_ROWS: Final = re.compile(
    rf"CREATE\s+(OR\s+REPLACE\s+)?ROW\s+ACCESS\s+POLICY\s+(IF\s+NOT\s+EXISTS\s+)?({_NAME})\s+ON\s+({_NAME})\s+"
    r"GRANT\s+TO\s*\((.*?)\)\s+FILTER\s+USING\s*\((.*)\)",
    re.I | re.S,
)
_DROP: Final = re.compile(
    rf"DROP\s+(ALL\s+)?ROW\s+ACCESS\s+POLIC(?:Y|IES)\s+(IF\s+EXISTS\s+)?(?:({_NAME})\s+)?ON\s+({_NAME})",
    re.I | re.S,
)
_POLICIES: Final = re.compile(r"\s*data_policies\s*(\+?=)\s*\[(.*)\]\s*", re.I | re.S)
_ONE: Final = re.compile(r"\{\s*'name'\s*:\s*'([^']+)'\s*\}")
_TEXT: Final = re.compile(r'"((?:\\.|[^"\\])*)"|\'((?:\\.|[^\'\\])*)\'')


@dataclass(frozen=True)
class Column:
    """ADD COLUMN. kind: the type as it was written. policies: names of data policies, or None."""

    name: str
    kind: str
    lenient: bool
    policies: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Options:
    """ALTER COLUMN SET OPTIONS (data_policies). more: they are added (`+=`)."""

    name: str
    policies: tuple[str, ...]
    more: bool


@dataclass(frozen=True)
class Lost:
    """DROP COLUMN. lenient: IF EXISTS."""

    name: str
    lenient: bool
    policies: None = None


@dataclass(frozen=True)
class AlterTable:
    """ALTER TABLE with its actions."""

    table: tuple[str, ...]
    actions: tuple[Column | Options | Lost, ...]


@dataclass(frozen=True)
class RowPolicy:
    """CREATE ROW ACCESS POLICY. replace, lenient: OR REPLACE, IF NOT EXISTS."""

    table: tuple[str, ...]
    name: str
    grantees: tuple[str, ...]
    predicate: str
    replace: bool
    lenient: bool


@dataclass(frozen=True)
class DropRows:
    """DROP ROW ACCESS POLICY; name "" for all."""

    table: tuple[str, ...]
    name: str
    lenient: bool


Statement = AlterTable | RowPolicy | DropRows


def script(text: str) -> list[Statement]:
    """The statements of a script. Raises 400 for what is none, NotImplementedError for a kind that the twin
    does not execute."""
    return [statement(statement_text) for statement_text in _split(text, ";") if statement_text.strip()]


def statement(text: str) -> Statement:
    """One statement. Raises as `script`."""
    text = text.strip()
    match = _ALTER.fullmatch(text)
    if match:
        actions = tuple(_action(part.strip()) for part in _split(match[3], ","))
        return AlterTable(_parts(match[2]), actions)
    match = _ROWS.fullmatch(text)
    if match:
        grantees = tuple(_unquoted(part) for part in _split(match[5], ",") if part.strip())
        return RowPolicy(
            _parts(match[4]), match[3].strip("`"), grantees, match[6].strip(), bool(match[1]), bool(match[2])
        )
    match = _DROP.fullmatch(text)
    if match:
        return DropRows(_parts(match[4]), (match[3] or "").strip("`"), bool(match[2]))
    raise NotImplementedError(f"BigQuery's statement {' '.join(text.split())[:120]!r}")


def _action(text: str) -> Column | Options | Lost:
    match = _ADD.fullmatch(text)
    if match:
        policies = _policies(match[4])[0] if match[4] else None
        return Column(match[2].strip("`"), " ".join(match[3].split()), bool(match[1]), policies)
    match = _SET.fullmatch(text)
    if match:
        policies, more = _policies(match[3])
        return Options(match[2].strip("`"), policies, more)
    match = _LOSE.fullmatch(text)
    if match:
        return Lost(match[2].strip("`"), bool(match[1]))
    raise NotImplementedError(f"BigQuery's ALTER TABLE action {' '.join(text.split())[:120]!r}")


def _policies(text: str) -> tuple[tuple[str, ...], bool]:
    match = _POLICIES.fullmatch(text)
    if not match:
        raise NotImplementedError(f"BigQuery's column options {' '.join(text.split())[:120]!r}")
    names: list[str] = []
    for part in filter(str.strip, _split(match[2], ",")):
        one = _ONE.fullmatch(_unquoted(part))
        if not one:
            raise invalid(
                f"Invalid data policy {part.strip()}: "
                "\"{'name':'PROJECT.region-LOCATION.POLICY'}\" is right."
            )
        names.append(one[1])
    return tuple(names), match[1] == "+="


def _parts(name: str) -> tuple[str, ...]:
    return tuple(name.replace("`", "").split("."))


def _unquoted(text: str) -> str:
    match = _TEXT.fullmatch(text.strip())
    if not match:
        raise invalid(
            f"Syntax error: Expected string literal but got {text.strip()[:60]}", reason="invalidQuery"
        )
    return json.loads(f'"{match[1]}"') if match[1] is not None else match[2]


def _split(text: str, mark: str) -> Iterator[str]:
    """The parts between marks that are in no quotes and no brackets."""
    depth, quote, start = 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[at - 1] != "\\" else quote
        elif char in "\"'`":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == mark and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]

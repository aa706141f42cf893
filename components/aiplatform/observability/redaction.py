"""Secrets that are removed from logs and traces, as data (`redaction.toml`)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

FUNCTION: Final = "redact_record"
"""The function of the script that Fluent Bit calls for each record."""
_SEPARATORS: Final = re.compile(r"[_.\-]")
_CAPTURE: Final = re.compile(r"(?<!%)\(")


@dataclass(frozen=True)
class Pattern:
    """A secret that its form shows."""

    lua: str
    """As a pattern of Lua. Its first and its last capture are kept."""
    regex: str
    """As a regular expression of RE2."""
    minimum: int
    """The length of the shortest secret, characters, with what is kept of it."""
    examples: Sequence[str]
    """Texts that contain one, between braces."""

    @property
    def captures(self) -> int:
        """The number of its captures."""
        return len(_CAPTURE.findall(self.lua))


@dataclass(frozen=True)
class Redaction:
    """What is removed."""

    words: Sequence[str]
    """Ends of the names of keys whose values are secrets: lower case, `-` between words."""
    exceptions: Sequence[str]
    """Ends of names that are none of these keys."""
    patterns: Mapping[str, Pattern]


@cache
def redaction() -> Redaction:
    """Return what `redaction.toml` states."""
    text = files("aiplatform.observability").joinpath("redaction.toml").read_text()
    entries = tomllib.loads(text)
    patterns = {name: Pattern(**entry) for name, entry in entries["patterns"].items()}
    return Redaction(entries["words"], entries["exceptions"], patterns)


def script(keys: Sequence[str] = ()) -> str:
    """Return the script for Fluent Bit's filter `lua`. keys: names of further keys whose values are
    secrets."""
    data = redaction()
    words = sorted({_SEPARATORS.sub("", word.lower()) for word in (*data.words, *keys)})
    exceptions = [_SEPARATORS.sub("", word) for word in data.exceptions]
    patterns = "".join(
        f"  {{ pattern = {_quoted(entry.lua)}, minimum = {entry.minimum}, captures = {entry.captures} }},\n"
        for entry in data.patterns.values()
    )
    program = files("aiplatform.observability").joinpath("redaction.lua").read_text()
    return (
        f"local WORDS = {_list(words)}\n"
        f"local EXCEPTIONS = {_list(exceptions)}\n"
        f"local PATTERNS = {{\n{patterns}}}\n\n{program}"
    )


def key_expressions() -> list[str]:
    """Return regular expressions (RE2) of the names of keys whose values are secrets."""
    return [f"(?i){word.replace('-', '[_.-]?')}$" for word in redaction().words]


def _list(words: Sequence[str]) -> str:
    return "{ " + ", ".join(map(_quoted, words)) + " }"


def _quoted(text: str) -> str:
    """Return a text as a literal of Lua."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

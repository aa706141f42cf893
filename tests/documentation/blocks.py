"""Code in the pages of the repository: blocks, fenced or indented, and spans within a text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tools.site.commonmark import PARSER

ROOT: Final = Path(__file__).parents[2]
_ENDS: Final = frozenset({"|", "||", "&&", ";", ">", ">>", "<", "<<", "&", ")", "2>&1"})
"""What ends a command on a line."""


@dataclass(frozen=True)
class Block:
    """A block of code, or a span."""

    page: Path
    line: int
    language: str
    """What its fence states; empty for an indented block."""
    text: str
    is_span: bool = False

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def pages() -> list[Path]:
    """Return the pages that users read. The changelog and decisions also name what is gone."""
    folders = ["docs", "examples", "twin"]
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    files += [file for folder in folders for file in sorted((ROOT / folder).rglob("*.md"))]
    return [file for file in files if "adr" not in file.parts and ".venv" not in file.parts]


@cache
def blocks() -> list[Block]:
    """Return all blocks and spans of all pages."""
    return [block for page in pages() for block in _blocks(page)]


def _blocks(page: Path) -> Iterator[Block]:
    for token in PARSER.parse(page.read_text()):
        line = token.map[0] + 1 if token.map else 0
        if token.type in ("fence", "code_block"):
            yield Block(page, line, token.info.strip(), token.content)
        for child in token.children or ():
            if child.type == "code_inline":
                yield Block(page, line, "", child.content, is_span=True)


def commands(block: Block, *programs: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of one of the programs in a block, with the program."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        if not any(program in line for program in programs):
            continue
        try:
            words = list(_words(line))
        except ValueError:  # a quotation of several lines
            words = line.split()
        for place, word in enumerate(words):
            starts = (
                place == 0 or words[place - 1] in _ENDS | {"--", "$", "(", "exec"} or "=" in words[place - 1]
            )
            if word in programs and starts:
                yield _until_its_end(words[place:])


def _words(line: str) -> Iterator[str]:
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.commenters = "#"
    reader.whitespace_split = True
    yield from reader


def _until_its_end(words: list[str]) -> list[str]:
    end = next((place for place, word in enumerate(words) if word in _ENDS), len(words))
    return words[:end]

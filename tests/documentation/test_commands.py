"""Commands in the pages that users read exist, with their options and arguments."""

from __future__ import annotations

import importlib.util
import re
from typing import Any, Final

import pytest
import typer
from typer.core import TyperGroup

from cli.app import app
from tests.documentation.blocks import ROOT, Block, blocks, commands

MAKEFILE: Final = (ROOT / "Makefile").read_text()
TARGETS: Final = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
VARIABLES: Final = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE)) | {"ARGS"}
CLI: Final[Any] = typer.main.get_command(app)
PROGRAMS: Final = ("bin/aiplatform", "aiplatform")
_FOLDERS: Final = "cli|components|containers|docs|environments|examples|policies|stacks|tests|tools|twin"
_PATH: Final = re.compile(rf"(?<![\w/.-])(?:{_FOLDERS})/[\w./-]*\w")


def _problem(words: list[str], *, complete: bool) -> str | None:
    """Return what is wrong with a call of the command `aiplatform`; None where it parses.

    complete: whether arguments and values must be there, as a text may name a command without them.
    """
    command, context, rest = CLI, None, words
    while isinstance(command, TyperGroup):
        name = next((word for word in rest if not word.startswith("-")), None)
        if name in (None, "..."):
            return None
        if name not in command.commands:
            return f"{name}: no such command"
        rest = rest[rest.index(name) + 1 :]
        command = command.commands[name]
    try:
        # Parses and converts, and calls nothing.
        command.make_context(command.name, list(rest), parent=context)
    except typer.Exit:  # --help
        return None
    except Exception as error:  # noqa: BLE001 - typer's copy of click has no public name for it
        message = getattr(error, "message", None) or str(error)
        if not complete and re.search("requires an argument|Missing (parameter|option)", message):
            return None
        return f"{command.name}: {type(error).__name__}: {message}"
    return None


def _calls(*programs: str) -> list[tuple[Block, list[str]]]:
    return [(block, words) for block in blocks() for words in commands(block, *programs)]


def _ids(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def test_pages_have_commands() -> None:
    assert len(_calls(*PROGRAMS)) > 100
    assert len(_calls("make")) > 50


@pytest.mark.parametrize(("block", "words"), _calls(*PROGRAMS), ids=_ids)
def test_call_of_the_program_parses(block: Block, words: list[str]) -> None:
    problem = _problem(words[1:], complete=not block.is_span)
    assert problem is None, f"{block}: {' '.join(words)}: {problem}"


@pytest.mark.parametrize(("block", "words"), _calls("make"), ids=_ids)
def test_target_of_make_exists(block: Block, words: list[str]) -> None:
    for word in words[1:]:
        name, assigned, _ = word.partition("=")
        if assigned:
            assert name in VARIABLES, f"{block}: {word}: expected one of {sorted(VARIABLES)}"
        elif not word.startswith("-") and word != "...":
            assert word in TARGETS, f"{block}: make {word}: expected one of {sorted(TARGETS)}"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["upp", "aws-dev"], "upp: no such command"),
        (["estimate", "aws-dev", "--commited"], "No such option"),
        (["estimate", "aws-dev", "gcp-dev"], "unexpected extra argument"),
        (["estimate"], "Missing parameter: environment"),
        (["twin", "strat"], "strat: no such command"),
    ],
)
def test_wrong_call_is_a_problem(words: list[str], problem: str) -> None:
    assert problem in str(_problem(words, complete=True))


_WRITTEN = re.compile(r"environments/recommender/")
"""Paths that a command before it in the block writes."""


def test_path_in_a_command_exists() -> None:
    programs = ("bin/aiplatform", "make", "kubectl", "pulumi", "python", "python3", "docker")
    missing = [
        f"{block}: {path}"
        for block, words in _calls(*programs)
        for word in words
        for path in _PATH.findall(word)
        if not (ROOT / path).exists() and not _WRITTEN.match(path)
    ]
    assert not missing


def test_module_of_a_command_exists() -> None:
    calls = [(block, words) for block, words in _calls("python", "python3") if "-m" in words[:-1]]
    assert calls
    for block, words in calls:
        module = words[words.index("-m") + 1]
        in_an_image = (ROOT / "containers" / module / module).is_dir()
        assert in_an_image or importlib.util.find_spec(module), f"{block}: python -m {module}: no such module"

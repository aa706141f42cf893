"""The program's check of answers (stacks/new_environment), in a process that answers while questions are
asked: loading the program takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Self, cast

from cli import environment_files
from cli.new import offers
from cli.output import CommandError


@dataclass(frozen=True)
class Reply:
    """What the program answers."""

    problems: Mapping[str, Sequence[str]]
    """Answer -> its problems; `file`: those that no single answer causes."""
    text: str
    """The environment file."""
    placeholders: Sequence[int]
    """Its lines that announce values to change."""
    defaults: Mapping[str, Any]
    """Answer -> what to suggest."""
    choices: Mapping[str, Sequence[str]]
    """Answer -> the words that it takes."""


class Checker:
    """A running program that checks answers."""

    def __enter__(self) -> Self:
        """Start it."""
        self._start()
        self._regions = offers.regions()
        return self

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stacks.new_environment"],
            cwd=environment_files.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C ends the command, which ends this.
            start_new_session=True,
        )

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def check(self, answers: Mapping[str, Any]) -> Reply:
        """Return the program's reply to the answers so far."""
        cloud, region = answers.get("cloud"), answers.get("region")
        of_region = offers.by_zone(cloud, region) if cloud and region else {}
        request = {"answers": dict(answers), "offers": of_region, "regions": self._regions}
        line = self._exchange(json.dumps(request))
        if not line:
            raise CommandError("the program in stacks/ ended with the error above; nothing was written")
        return Reply(**json.loads(line))

    def _exchange(self, line: str) -> str:
        """Return the program's line for one; empty where it has ended."""
        pipe = cast("IO[str]", self._process.stdin)
        try:
            pipe.write(line + "\n")
            pipe.flush()
        except BrokenPipeError:
            return ""
        return cast("IO[str]", self._process.stdout).readline()

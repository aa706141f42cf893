"""What the program knows of an environment, without its start, which takes seconds of CPU."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from unittest import mock

from cli.images import build_command
from cli.images.build_command import Target
from cli.images.build_command import target_of as target_of_program
from stacks import image_target
from tests.stacks.environments import settings_of


@cache
def target_of(environment: str) -> Target:
    """Return what `build_command.target_of` returns: the program answers in this process."""

    def answer(module: str, name: str) -> Any:
        assert module == "image_target"
        return json.loads(json.dumps(image_target.document_of(settings_of(name))))

    with mock.patch.object(build_command, "answer_of", answer):
        return target_of_program(environment)

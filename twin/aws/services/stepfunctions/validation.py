"""Step Functions: definitions of state machines, checked by the States Language (awslabs/statelint)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState


def definition(params: Mapping[str, Any], _: MotoState) -> None:
    """CreateStateMachine and UpdateStateMachine."""
    text = params.get("definition")
    if text is None:
        return
    try:
        document = json.loads(str(text))
    except ValueError as error:
        raise _invalid(f"INVALID_JSON_DESCRIPTION: {error}") from error
    # Imported late: it takes a tenth of a second.
    from statelint.config import Config  # pyright: ignore[reportMissingTypeStubs]
    from statelint.linter import Linter  # pyright: ignore[reportMissingTypeStubs]
    from statelint.problem import ProblemType  # pyright: ignore[reportMissingTypeStubs]

    # The service accepts whole numbers where the language has others.
    messages: list[str] = Linter.validate(document, Config(ignored_problem_types={ProblemType.FLOAT}))
    # statelint knows JSONata as text alone, the service wherever a value may be.
    problems = [problem for problem in messages if '"{%' not in problem]
    if problems:
        raise _invalid(f"SCHEMA_VALIDATION_FAILED: {'; '.join(problems)}")


def _invalid(reason: str) -> Refusal:
    return Refusal("InvalidDefinition", f"Invalid State Machine Definition: '{reason}'")


RULES: Final = {"CreateStateMachine": definition, "UpdateStateMachine": definition}

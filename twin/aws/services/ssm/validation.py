"""Systems Manager: values of parameters. Source: the API Reference of PutParameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState


def put_parameter(params: Mapping[str, Any], _: MotoState) -> None:
    """PutParameter: a value that its pattern matches."""
    pattern = params.get("AllowedPattern")
    if not pattern:
        return
    try:
        matches = re.search(str(pattern), str(params.get("Value") or "")) is not None
    except re.error as error:
        raise Refusal(
            "InvalidAllowedPatternException", f"The allowed pattern is not a regular expression: {error}"
        ) from error
    if not matches:
        raise Refusal(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )


RULES: Final = stated.rules(__name__, {"PutParameter": put_parameter})

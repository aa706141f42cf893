"""Systems Manager: values of parameters. Source: the API Reference of PutParameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState

_BYTES: Final = {"Standard": 4096, "Advanced": 8192}


def put_parameter(params: Mapping[str, Any], _: MotoState) -> None:
    """PutParameter. Intelligent tiering makes a value over 4 KB an advanced parameter by itself."""
    value, tier = str(params.get("Value") or ""), str(params.get("Tier") or "Standard")
    most = _BYTES.get(tier, _BYTES["Advanced"])
    if len(value.encode()) > most:
        raise Refusal(
            "ValidationException",
            f"{tier} tier parameters support a maximum parameter value of {most} characters.",
        )
    pattern = params.get("AllowedPattern")
    if not pattern:
        return
    try:
        matches = re.search(str(pattern), value) is not None
    except re.error as error:
        raise Refusal(
            "InvalidAllowedPatternException", f"The allowed pattern is not a regular expression: {error}"
        ) from error
    if not matches:
        raise Refusal(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )


RULES: Final = {"PutParameter": put_parameter}

"""Lambda: functions by their arns."""

from __future__ import annotations

import json
from typing import Any

from twin.aws.rules.look import Look

Params = dict[str, Any]


def find(look: Look, named: str) -> Any | None:
    """A function by name or arn (with or without qualifier), or None."""
    name = named.split(":function:")[-1].split(":")[0] if named.startswith("arn:") else named.split(":")[0]
    functions = look.moto.backend("lambda", look.region)._lambdas._functions
    return functions[name]["latest"] if name in functions else None


def statements(function: Any) -> list[Params]:
    """The statements of its policy."""
    policy = function.policy
    return (
        [json.loads(each) if isinstance(each, str) else each for each in policy.statements] if policy else []
    )

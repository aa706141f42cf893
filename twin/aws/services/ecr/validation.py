"""ECR: lifecycle policies. Source: "Lifecycle policy properties in Amazon ECR" in the User Guide.

moto checks the members of a rule by themselves; this is what depends on another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState

_TAGS: Final = ("tagPrefixList", "tagPatternList")


def put_lifecycle_policy(params: Mapping[str, Any], _: MotoState) -> None:
    """PutLifecyclePolicy."""
    try:
        rules = json.loads(str(params.get("lifecyclePolicyText")))["rules"]
        selections = [(rule.get("rulePriority"), rule["selection"]) for rule in rules]
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # moto refuses it
    priorities = [priority for priority, _ in selections]
    if len(set(priorities)) < len(priorities):
        raise _invalid("rule priorities must be unique")
    for priority, selection in selections:
        named = [name for name in _TAGS if selection.get(name)]
        if selection.get("tagStatus") == "tagged" and len(named) != 1:
            raise _invalid(f"rule {priority} of tagged images must have one of {' and '.join(_TAGS)}")
        if selection.get("tagStatus") != "tagged" and named:
            raise _invalid(f"rule {priority}: {named[0]} is for tagged images only")


def _invalid(words: str) -> Refusal:
    return Refusal(
        "InvalidParameterException",
        f"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: '{words}'",
    )


RULES: Final = {"PutLifecyclePolicy": put_lifecycle_policy}

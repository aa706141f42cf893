"""Rules of EventBridge, and who is told."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from aiplatform.lakehouse.aws.context import Context
from aiplatform.naming import PhysicalName


def told(
    context: Context,
    purpose: str,
    name: PhysicalName,
    description: str,
    pattern: Mapping[str, Any],
    targets: Mapping[str, pulumi.Input[str]],
) -> None:
    """A rule and its targets; none where nobody is to be told."""
    if not targets:
        return
    rule = cloudwatch.EventRule(
        f"{context.name}-{purpose}",
        name=name.of(context.settings.prefix),
        description=description,
        event_pattern=json.dumps(pattern),
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    for target, arn in targets.items():
        cloudwatch.EventTarget(
            f"{context.name}-{purpose}-{target}",
            rule=rule.name,
            target_id=target,
            arn=arn,
            opts=context.options(),
        )

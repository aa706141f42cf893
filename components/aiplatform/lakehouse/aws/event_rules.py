"""Notifications by EventBridge: rules with their targets, and those of files that arrive in raw."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from aiplatform.lakehouse.aws.context import FILES, Context
from aiplatform.lakehouse.aws.names import ARRIVALS
from aiplatform.naming import PhysicalName


def create_event_rule(
    context: Context,
    purpose: str,
    name: PhysicalName,
    description: str,
    pattern: Mapping[str, Any],
    targets: Mapping[str, pulumi.Input[str]],
) -> None:
    """Create a rule that sends events of a pattern to targets; nothing without targets."""
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


def notify_arrivals(context: Context) -> None:
    """Notify the targets of objects that are created under `files/` of raw. Not of files of tables: a table
    changes by a commit, not by a file."""
    create_event_rule(
        context,
        "arrivals",
        ARRIVALS,
        f"Files that arrive in {context.bucket('raw')}",
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [context.bucket("raw")]},
                "object": {"key": [{"prefix": f"{FILES}/"}]},
            },
        },
        context.settings.arrival_targets,
    )

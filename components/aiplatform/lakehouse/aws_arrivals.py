"""Who is told of files that arrive, by EventBridge."""

import json

from pulumi_aws import cloudwatch

from aiplatform.lakehouse.aws_context import FILES, Context
from aiplatform.lakehouse.aws_names import ARRIVALS


def tell(context: Context) -> None:
    """A rule for objects that are created under `files/` of raw, and its targets. Files of tables
    are no news: a table changes with a commit, not with a file."""
    if not context.settings.arrival_targets:
        return
    rule = cloudwatch.EventRule(
        f"{context.name}-arrivals",
        name=ARRIVALS.of(context.settings.prefix),
        description=f"Files that arrive in {context.bucket('raw')}",
        event_pattern=json.dumps(
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [context.bucket("raw")]},
                    "object": {"key": [{"prefix": f"{FILES}/"}]},
                },
            }
        ),
        tags=context.settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    for name, arn in context.settings.arrival_targets.items():
        cloudwatch.EventTarget(
            f"{context.name}-arrivals-{name}",
            rule=rule.name,
            target_id=name,
            arn=arn,
            opts=context.options(),
        )

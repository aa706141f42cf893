"""Alarms of a function on AWS."""

from pulumi_aws import cloudwatch, sqs

from aiplatform.function.args import ALIAS
from aiplatform.function.aws.context import Context


def create_alarms(context: Context, dead_letters: sqs.Queue | None) -> None:
    """Create alarms of failed calls, of throttling, and of dead letters."""
    of_alias = {"FunctionName": context.function, "Resource": f"{context.function}:{ALIAS}"}
    _alarm(context, "errors", "AWS/Lambda", "Errors", "Sum", of_alias, "Calls fail")
    _alarm(
        context, "throttles", "AWS/Lambda", "Throttles", "Sum", of_alias, "Calls are refused: max_instances"
    )
    if dead_letters is not None:
        _alarm(
            context,
            "dead",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
            {"QueueName": context.dead_letters},
            "Events failed for good",
        )


def _alarm(
    context: Context,
    purpose: str,
    namespace: str,
    metric: str,
    statistic: str,
    dimensions: dict[str, str],
    problem: str,
) -> None:
    settings = context.settings
    cloudwatch.MetricAlarm(
        f"{context.name}-{purpose}",
        name=f"{context.function}-{purpose}",
        alarm_description=f"{problem} ({context.function}, owner {settings.owner})",
        namespace=namespace,
        metric_name=metric,
        statistic=statistic,
        dimensions=dimensions,
        period=300,
        evaluation_periods=1,
        threshold=0,
        comparison_operator="GreaterThanThreshold",
        # No calls, no numbers.
        treat_missing_data="notBreaching",
        alarm_actions=settings.alarm_targets,
        tags=settings.all_tags,
        opts=context.options(delete_before_replace=True),
    )

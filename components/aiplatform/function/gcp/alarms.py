"""Alert policies of a function on Google Cloud."""

from pulumi import Input, Output
from pulumi_gcp import cloudrunv2, monitoring

from aiplatform.function.gcp.context import Context
from aiplatform.function.gcp.events import Events


def create_alarms(context: Context, service: cloudrunv2.Service, events: Events | None) -> None:
    """Create policies of failed requests, of refused ones, and of dead letters."""
    requests = Output.concat(
        'resource.type="cloud_run_revision" AND metric.type="run.googleapis.com/request_count" AND '
        'resource.labels.service_name="',
        service.name,
        '" AND ',
    )
    failed = Output.concat(requests, 'metric.labels.response_code_class="5xx"')
    refused = Output.concat(requests, 'metric.labels.response_code="429"')
    _alarm(context, "errors", "Calls fail", failed, "ALIGN_DELTA")
    _alarm(context, "throttles", "Calls are refused: max_instances", refused, "ALIGN_DELTA")
    if events is not None:
        _alarm(
            context,
            "dead",
            "Events failed for good",
            Output.concat(
                'resource.type="pubsub_subscription" AND '
                'metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages" AND '
                'resource.labels.subscription_id="',
                events.dead_letters.name,
                '"',
            ),
            "ALIGN_MAX",
        )


def _alarm(context: Context, purpose: str, problem: str, series: Input[str], aligner: str) -> None:
    settings = context.settings
    monitoring.AlertPolicy(
        f"{context.name}-{purpose}",
        project=context.project,
        display_name=f"{context.service}-{purpose}",
        combiner="OR",
        conditions=[
            monitoring.AlertPolicyConditionArgs(
                display_name=problem,
                condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
                    filter=series,
                    comparison="COMPARISON_GT",
                    threshold_value=0,
                    duration="0s",
                    aggregations=[
                        monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                            alignment_period="300s",
                            per_series_aligner=aligner,
                            cross_series_reducer="REDUCE_SUM",
                        )
                    ],
                ),
            )
        ],
        documentation=monitoring.AlertPolicyDocumentationArgs(
            content=f"{problem}: the function {context.service}, owner {settings.owner}."
        ),
        notification_channels=settings.alarm_targets or None,
        user_labels=context.labels,
        opts=context.options(context.apis["monitoring"]),
    )

"""Alerts of logs and traces that are lost, or that the cloud's store does not take."""

from collections.abc import Iterator

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    if settings.logs:
        yield Alert(
            name="LogsLost",
            severity="warning",
            expression="sum by (pod) (increase(fluentbit_output_dropped_records_total[30m])) > 0",
            summary="Fluent Bit ({{ $labels.pod }}) loses logs",
            description=(
                "{{ $value | humanize }} records in half an hour: the store refused them, or the buffer on "
                "the node is full."
            ),
            pending="0s",
        )
        yield Alert(
            name="LogsNotStored",
            severity="warning",
            # Files that grow, while nothing arrives in the store.
            expression=(
                'sum by (pod) (increase(fluentbit_input_records_total{name=~"tail.*"}[15m])) > 0 '
                "and sum by (pod) (increase(fluentbit_output_proc_records_total[15m])) == 0"
            ),
            summary="Fluent Bit ({{ $labels.pod }}) stores no logs",
            description="Logs wait on the node's disk. When the buffer is full, the oldest are lost.",
            pending="15m",
        )
    if settings.traces:
        yield Alert(
            name="TracesLost",
            severity="warning",
            expression=(
                "sum(increase(otelcol_exporter_send_failed_spans[30m])) > 0 "
                "or sum(increase(otelcol_receiver_refused_spans[30m])) > 0"
            ),
            summary="the collector loses traces",
            description=(
                "{{ $value | humanize }} spans in half an hour: the store refused them, or the collector has "
                "not enough memory."
            ),
            pending="0s",
        )

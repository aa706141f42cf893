"""Alerts of monitoring itself. `Watchdog` always fires: its absence is noticed outside of the cluster."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability import metrics
from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings

_LOST: Final = "Alerts may be missing."


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    yield Alert(
        name="Watchdog",
        severity="none",
        expression="vector(1)",
        summary="Prometheus evaluates rules and Alertmanager receives alerts",
        description="This alert always fires. Where it is missing, alerts do not reach their receivers.",
        pending="0s",
    )
    yield from _prometheus()
    yield from _alertmanager()
    if metrics.exporters()["remote-write"].exists(settings):
        yield from _remote_write()


def _prometheus() -> Iterator[Alert]:
    yield Alert(
        name="PrometheusConfigurationInvalid",
        severity="critical",
        expression="prometheus_config_last_reload_successful == 0",
        summary="Prometheus {{ $labels.pod }} refuses its configuration",
        description="It goes on with the previous one: new targets, rules and receivers have no effect.",
        pending="10m",
    )
    yield Alert(
        name="PrometheusRulesFailing",
        severity="critical",
        expression="sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[10m])) > 0",
        summary="rules of {{ $labels.rule_group }} fail",
        description=f"{{{{ $value | humanize }}}} evaluations failed in 10 minutes. {_LOST}",
        pending="10m",
    )
    yield Alert(
        name="PrometheusNotIngesting",
        severity="critical",
        # A single replica that stores none does not store this series either.
        expression=(
            "sum by (pod) (rate(prometheus_tsdb_head_samples_appended_total[5m])) == 0 "
            "or absent(prometheus_tsdb_head_samples_appended_total)"
        ),
        summary="Prometheus stores no samples",
        description=f"It has no targets, or cannot write to its volume. {_LOST}",
        pending="10m",
    )
    yield Alert(
        name="PrometheusNotificationsDropped",
        severity="critical",
        expression="sum by (pod) (increase(prometheus_notifications_dropped_total[10m])) > 0",
        summary="Prometheus {{ $labels.pod }} does not reach Alertmanager",
        description=f"{{{{ $value | humanize }}}} alerts were dropped in 10 minutes. {_LOST}",
        pending="10m",
    )
    yield Alert(
        name="PrometheusObjectsRejected",
        severity="warning",
        expression=(
            'sum by (controller, resource) (prometheus_operator_managed_resources{state="rejected"}) > 0'
        ),
        summary="the Prometheus operator rejects {{ $labels.resource }} objects",
        description="{{ $value }} objects are invalid and have no effect.",
        pending="10m",
    )
    yield Alert(
        name="PrometheusOperatorFailing",
        severity="warning",
        expression="sum by (controller) (increase(prometheus_operator_reconcile_errors_total[15m])) > 5",
        summary="the Prometheus operator does not apply changes",
        description=(
            "{{ $value | humanize }} errors of its controller {{ $labels.controller }} in 15 minutes."
        ),
        pending="15m",
    )


def _alertmanager() -> Iterator[Alert]:
    yield Alert(
        name="AlertmanagerConfigurationInvalid",
        severity="critical",
        expression="alertmanager_config_last_reload_successful == 0",
        summary="Alertmanager {{ $labels.pod }} refuses its configuration",
        description="It goes on with the previous one: new routes and receivers have no effect.",
        pending="10m",
    )
    yield Alert(
        name="AlertmanagerNotificationsFailing",
        severity="critical",
        expression=(
            "sum by (integration) (rate(alertmanager_notifications_failed_total[10m])) "
            "/ sum by (integration) (rate(alertmanager_notifications_total[10m])) > 0.05"
        ),
        summary="notifications by {{ $labels.integration }} fail",
        description=(
            "{{ $value | humanizePercentage }} of the notifications failed. Other receivers may still work."
        ),
        pending="10m",
    )


def _remote_write() -> Iterator[Alert]:
    on_queue = "by (pod, remote_name, url)"
    sent = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds"
    yield Alert(
        name="RemoteWriteBehind",
        severity="warning",
        expression=f"prometheus_remote_storage_queue_highest_timestamp_seconds - {sent} > 300",
        summary="series reach the long-term storage late",
        description=(
            "Prometheus {{ $labels.pod }} is {{ $value | humanizeDuration }} behind. After about two "
            "hours samples are "
            "lost there."
        ),
        pending="15m",
    )
    failed = f"sum {on_queue} (rate(prometheus_remote_storage_samples_failed_total[10m]))"
    yield Alert(
        name="RemoteWriteFailing",
        severity="critical",
        expression=f"{failed} / sum {on_queue} (rate(prometheus_remote_storage_samples_total[10m])) > 0.01",
        summary="the long-term storage refuses samples",
        description="{{ $value | humanizePercentage }} of the samples were refused and are lost there.",
        pending="10m",
    )

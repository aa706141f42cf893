"""Alerts of monitors of models, by what their Jobs send to the Pushgateway and Kubernetes knows of them. A
number stays until the next run: an alert ends with a run that finds nothing."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings

PUSHGATEWAY: Final = "prometheus-pushgateway"
"""The add-on."""
PREFIX: Final = "ai_platform_monitor_"
_JOBS: Final = '{cronjob=~"model-monitor-(compact|compare)-.+"}'
"""Those of the component ModelMonitor."""


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    if PUSHGATEWAY not in settings.addons:
        return
    model = "{{ $labels.team }}.{{ $labels.model }}"
    yield Alert(
        name="ModelInputDrift",
        severity="warning",
        expression=f"max by (team, model, column) ({PREFIX}drifted) == 1",
        summary=f"{{{{ $labels.column }}}} of {model} differs from the training data",
        description="The last window of requests or answers has another distribution. The report of the "
        "window shows both.",
    )
    by = "by (team, model, column, score)"
    of_values = '{score=~"missing|unseen"}'
    yield Alert(
        name="ModelInputsIncomplete",
        severity="warning",
        expression=(f"max {by} ({PREFIX}drift_score{of_values}) >= max {by} ({PREFIX}threshold{of_values})"),
        summary=f"{{{{ $labels.column }}}} of {model} has another share of {{{{ $labels.score }}}} values",
        description="In the last window the share differs from that of the training data by "
        "{{ $value | humanizePercentage }}. Clients may send another form of it.",
    )
    yield Alert(
        name="ModelQualityLow",
        severity="critical",
        expression=f"max by (team, model, metric) ({PREFIX}quality_drifted) == 1",
        summary=f"{model} answers worse than at its evaluation",
        description="{{ $labels.metric }} of the last window is worse than the registered one by more than "
        "the monitor allows.",
    )
    yield Alert(
        name="ModelWindowTooSmall",
        severity="info",
        expression=f'max by (team, model, version) ({PREFIX}info{{status="too_few"}}) == 1',
        summary=f"{model} has too few requests to compare",
        description="The last window of version {{ $labels.version }} has fewer rows than `min_rows`. Drift "
        "would not be found.",
        pending="1h",
    )
    yield _late()


def _late() -> Alert:
    succeeded = f"kube_cronjob_status_last_successful_time{_JOBS}"
    on_job = "on (namespace, cronjob)"
    return Alert(
        name="ModelMonitorLate",
        severity="warning",
        # Each success is later than the schedule that started it. Before the first one it has no series.
        expression=(
            f"(kube_cronjob_status_last_schedule_time{_JOBS} > {succeeded} "
            f"or {on_job} (kube_cronjob_status_last_schedule_time{_JOBS} unless {on_job} {succeeded})) "
            f"unless {on_job} kube_cronjob_spec_suspend{_JOBS} == 1"
        ),
        summary="{{ $labels.namespace }}/{{ $labels.cronjob }} does not succeed",
        description="No run has succeeded for two hours. Requests are not compared with the training data; "
        "those that are not compacted expire.",
        pending="2h",
    )

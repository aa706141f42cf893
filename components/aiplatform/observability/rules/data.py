"""Alerts of data: features that are late, and a server that fails. Tables and their quality emit no
metrics."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.rules.deployments import NOT_A_TEAM, not_available
from aiplatform.observability.settings import Settings

SERVER: Final = "feature-server"
"""The Deployment of the feature store. Its package is not imported: that would load the cloud's SDK."""
MATERIALIZER: Final = "feature-materializer"
"""Its CronJob."""


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment. Those about objects of Kubernetes have no series where no feature
    store exists."""
    selector = f'{{cronjob="{MATERIALIZER}"}}'
    succeeded = f"kube_cronjob_status_last_successful_time{selector}"
    on_job = "on (namespace, cronjob)"
    yield Alert(
        name="FeaturesLate",
        severity="warning",
        # Each success is later than the schedule that started it. Before the first one it has no series.
        expression=(
            f"(kube_cronjob_status_last_schedule_time{selector} > {succeeded} "
            f"or {on_job} (kube_cronjob_created{selector} unless {on_job} {succeeded})) "
            f"unless {on_job} kube_cronjob_spec_suspend{selector} == 1 {NOT_A_TEAM}"
        ),
        summary="features of {{ $labels.namespace }} are not materialized",
        description="No run has succeeded for two hours. The online store serves old values.",
        pending="2h",
    )
    yield Alert(
        name="FeatureServerDown",
        severity="critical",
        expression=not_available(f'deployment="{SERVER}"'),
        summary="the feature server does not run",
        description=(
            "No Pod of {{ $labels.namespace }}/{{ $labels.deployment }} is available. Online features "
            "cannot be read."
        ),
        pending="10m",
    )
    if settings.feature_store:
        yield from _requests()


def _requests() -> Iterator[Alert]:
    total = "sum by (namespace, endpoint) (rate(feast_feature_server_request_total[10m]))"
    failed = 'sum by (namespace, endpoint) (rate(feast_feature_server_request_total{status="error"}[10m]))'
    yield Alert(
        name="FeatureServerErrors",
        severity="warning",
        expression=f"{failed} / {total} > 0.05",
        summary="requests to the feature server fail",
        description=(
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.endpoint }} fail. Wrong "
            "requests count, too."
        ),
        pending="10m",
    )
    reads = "feast_feature_server_online_store_read_duration_seconds_bucket"
    yield Alert(
        name="FeatureStoreSlow",
        severity="warning",
        expression=f"histogram_quantile(0.95, sum by (namespace, le) (rate({reads}[10m]))) > 0.5",
        summary="the online store answers slowly",
        description="One read in twenty takes more than {{ $value | humanizeDuration }}.",
        pending="15m",
    )

"""Alerts of the model registry, by what Kubernetes reports of its Deployment and by its requests."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.rules.deployments import not_available
from aiplatform.observability.settings import Settings

SERVER: Final = "mlflow"
"""Its Deployment. The registry's package is not imported: that would load the cloud's SDK."""


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment. The first has no series where no model registry exists."""
    yield Alert(
        name="ModelRegistryDown",
        severity="critical",
        expression=not_available(f'deployment="{SERVER}"'),
        summary="the model registry does not run",
        description=(
            "No Pod of {{ $labels.namespace }}/{{ $labels.deployment }} is available. Runs cannot log "
            "metrics, "
            "and deployments cannot read models."
        ),
        pending="10m",
    )
    if settings.model_registry:
        yield from _requests()


def _requests() -> Iterator[Alert]:
    total = "sum by (namespace) (rate(mlflow_http_request_total[10m]))"
    failed = 'sum by (namespace) (rate(mlflow_http_request_total{status=~"5.."}[10m]))'
    yield Alert(
        name="ModelRegistryErrors",
        severity="warning",
        expression=f"{failed} / {total} > 0.05",
        summary="requests to the model registry fail",
        description="{{ $value | humanizePercentage }} of the requests end with a server error (5xx).",
        pending="10m",
    )
    buckets = "sum by (namespace, le) (rate(mlflow_http_request_duration_seconds_bucket[10m]))"
    yield Alert(
        name="ModelRegistrySlow",
        severity="warning",
        # The median: some requests, such as searches of many runs, are slow by design.
        expression=f"histogram_quantile(0.5, {buckets}) > 2.5",
        summary="the model registry answers slowly",
        description="Half of the requests take more than {{ $value | humanizeDuration }}.",
        pending="15m",
    )

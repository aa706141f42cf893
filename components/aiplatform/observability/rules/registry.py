"""Alerts of the model registry, by what Kubernetes reports of its Deployment."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.rules.deployments import not_available
from aiplatform.observability.settings import Settings

SERVER: Final = "mlflow"
"""Its Deployment. The registry's package is not imported: that would load the cloud's SDK."""


def rules(_: Settings) -> Iterator[Alert]:
    """Return the rules of an environment. They have no series where no model registry exists."""
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

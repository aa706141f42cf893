"""Alerts of data: features that are late. Tables and their quality emit no metrics."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.rules.deployments import NOT_A_TEAM, not_available
from aiplatform.observability.settings import Settings

SERVER: Final = "feature-server"
"""The Deployment of the feature store. Its package is not imported: that would load the cloud's SDK."""
MATERIALIZER: Final = "feature-materializer"
"""Its CronJob."""


def rules(_: Settings) -> Iterator[Alert]:
    """Return the rules of an environment. They have no series where no feature store exists."""
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

"""Alerts of serving. Metrics of model servers come with them; until then only what Kubernetes reports."""

from collections.abc import Iterator

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings


def rules(_: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    yield Alert(
        name="ServingScaleUpWaiting",
        severity="critical",
        expression=(
            "max by (namespace, pod) (kube_pod_status_unschedulable) == 1 "
            'and on (namespace, pod) kube_pod_info{priority_class="serving"}'
        ),
        summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} of a model server finds no node",
        description="It has waited for 10 minutes. The model runs with fewer replicas than its load needs.",
        pending="10m",
    )
    yield Alert(
        name="RolloutRolledBack",
        severity="warning",
        expression=(
            "time() - max by (namespace, name) (kube_customresource_httproute_rolled_back > 0) < 24 * 3600"
        ),
        summary="A release of service {{ $labels.namespace }}/{{ $labels.name }} was rolled back",
        description="Clients get the release before. The alert ends after a day, or with the next rollout "
        "that succeeds.",
    )

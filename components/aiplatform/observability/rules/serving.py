"""Alerts of serving: Pods of servers that do not start, and the controllers that create and scale them."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings

_OF_SERVERS: Final = 'on (namespace, pod) kube_pod_info{priority_class="serving"}'


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    yield Alert(
        name="ServingScaleUpWaiting",
        severity="critical",
        expression=(f"max by (namespace, pod) (kube_pod_status_unschedulable) == 1 and {_OF_SERVERS}"),
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
    if "kueue" in settings.addons:
        yield _waiting_for_quota()
    if "keda" in settings.addons:
        yield Alert(
            name="ScalerFailing",
            severity="warning",
            expression=(
                "sum by (namespace, scaledObject) (increase(keda_scaled_object_errors_total[15m])) > 3"
            ),
            summary="{{ $labels.namespace }}/{{ $labels.scaledObject }} does not scale",
            description=(
                "KEDA could not read its metric {{ $value | humanize }} times in 15 minutes. The number of "
                "Pods stays as it is, whatever the load."
            ),
            pending="15m",
        )
    if "kserve" in settings.addons:
        errors = 'controller_runtime_reconcile_errors_total{job="kserve"}'
        yield Alert(
            name="ServingControllerFailing",
            severity="warning",
            expression=f"sum by (controller) (increase({errors}[30m])) > 10",
            summary="KServe's controller {{ $labels.controller }} fails again and again",
            description=(
                "{{ $value | humanize }} attempts failed in half an hour: objects of servers are not what "
                "their InferenceServices state."
            ),
            pending="15m",
        )


def _waiting_for_quota() -> Alert:
    """Return the alert of Pods that Kueue holds back by a scheduling gate: such a Pod is not scheduled, and
    not unschedulable either, since the scheduler does not try."""
    return Alert(
        name="ServingScaleUpWaitsForQuota",
        severity="critical",
        expression=(
            'max by (namespace, pod) (kube_pod_status_scheduled{condition="false"}) == 1 '
            f"and {_OF_SERVERS} "
            "unless on (namespace, pod) kube_pod_status_unschedulable == 1"
        ),
        summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} of a model server waits for quota",
        description=(
            "Its queue has had no quota for 10 minutes. The model runs with fewer replicas than its load "
            "needs."
        ),
        pending="10m",
    )

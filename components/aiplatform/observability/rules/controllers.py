"""Alerts of the controllers of the platform: they do not run, their webhooks fail, they create no nodes."""

from collections.abc import Iterator
from typing import Final

from aiplatform.addons.catalog import catalog
from aiplatform.observability import metrics
from aiplatform.observability.rule_types import Alert
from aiplatform.observability.rules.deployments import not_available
from aiplatform.observability.settings import Settings

_SHARED: Final = "kube-system"
"""A namespace that also has what is not the platform's."""
_NAMED: Final = "cluster-autoscaler|coredns|ebs-csi-controller|karpenter"
"""The controllers there."""
_OF_NODES: Final = "container-logs|dcgm-exporter|kubelet|node-exporter"
"""Jobs with targets on each node: one lost node is not an alert of each."""
_AGENTS: Final = "container-logs|.*dcgm-exporter|.*node-exporter"
"""The DaemonSets that read logs and metrics of nodes."""
_OF_WORKLOADS: Final = "monitoring/workloads"
"""The job of what teams run."""


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    namespaces = "|".join(_namespaces(settings))
    controllers = not_available(f'namespace=~"{namespaces}"')
    named = not_available(f'namespace="{_SHARED}", deployment=~"{_NAMED}"')
    yield Alert(
        name="ControllerDown",
        severity="critical",
        expression=f"{controllers} or {named}",
        summary="controller {{ $labels.namespace }}/{{ $labels.deployment }} does not run",
        description=(
            "None of its Pods is available. What it manages stays as it is; requests that need its "
            "webhook fail."
        ),
        pending="5m",
    )
    yield Alert(
        name="ControllerCrashLoop",
        severity="warning",
        # Between two crashes the container runs for some time.
        expression=(
            "max by (namespace, pod, container) (max_over_time(kube_pod_container_status_waiting_reason"
            f'{{reason="CrashLoopBackOff", namespace=~"{namespaces}"}}[5m])) == 1'
        ),
        summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} crashes again and again",
        description="Container {{ $labels.container }} ends soon after each start.",
        pending="10m",
    )
    yield Alert(
        name="WebhookFailing",
        severity="critical",
        expression=(
            "sum by (name) (increase(apiserver_admission_webhook_rejection_count"
            '{error_type="calling_webhook_error"}[10m])) > 0'
        ),
        summary="webhook {{ $labels.name }} does not answer",
        description=(
            "The API server refused {{ $value | humanize }} requests in 10 minutes, since it could not "
            "call the webhook."
        ),
        pending="10m",
    )
    yield Alert(
        name="ApiServerErrors",
        severity="critical",
        expression=(
            'sum(rate(apiserver_request_total{code=~"5.."}[10m])) / '
            "sum(rate(apiserver_request_total[10m])) > 0.05"
        ),
        summary="the API server answers with errors",
        description="{{ $value | humanizePercentage }} of all requests failed.",
        pending="10m",
    )
    yield from _targets(settings)
    if "argo-workflows" in settings.addons:
        yield Alert(
            name="WorkflowControllerErrors",
            severity="warning",
            expression="sum by (cause) (increase(argo_workflows_error_count[1h])) > 0",
            summary="Argo Workflows could not run a workflow or a schedule: {{ $labels.cause }}",
            description="{{ $value | humanize }} errors in an hour. The controller's log names the object.",
            pending="0s",
        )
    if "karpenter" in settings.addons:
        yield from _karpenter()


def _targets(settings: Settings) -> Iterator[Alert]:
    yield Alert(
        name="MetricsTargetDown",
        severity="warning",
        expression=f'up{{job!~"{_OF_NODES}|{_OF_WORKLOADS}"}} == 0',
        summary="{{ $labels.job }} ({{ $labels.instance }}) serves no metrics",
        description=(
            "Prometheus cannot read the metrics of {{ $labels.namespace }}/{{ $labels.pod }}. Alerts that "
            "need "
            "them do not fire."
        ),
        pending="15m",
    )
    of_nodes = f'up{{job=~"{_OF_NODES}"}}'
    yield Alert(
        name="NodeMetricsMissing",
        severity="warning",
        expression=f"count by (job) ({of_nodes} == 0) / count by (job) ({of_nodes}) > 0.5",
        summary="most nodes serve no metrics of {{ $labels.job }}",
        description=(
            "{{ $value | humanizePercentage }} of the targets do not answer. Alerts that need them do not "
            "fire."
        ),
        pending="15m",
    )
    yield Alert(
        name="NodeAgentNotRunning",
        severity="warning",
        expression=(
            f'kube_daemonset_status_number_unavailable{{namespace="{_SHARED}", daemonset=~"{_AGENTS}"}} > 0'
        ),
        summary="{{ $labels.daemonset }} does not run on {{ $value }} nodes",
        description="Logs or metrics of these nodes are missing.",
        pending="1h",
    )
    for exporter in metrics.exporters().values():
        # One alert for each: absent() of several selectors fires only where all of them are.
        if exporter.target and exporter.exists(settings) and not exporter.may_have_no_target:
            yield Alert(
                name="MetricsMissing",
                severity="warning",
                expression=f"absent(up{{{exporter.target}}})",
                summary=f"Prometheus has no target for {exporter.name}",
                description=(
                    "It was deleted, or nothing selects it any more. Alerts that need its metrics do not "
                    "fire."
                ),
                pending="15m",
                labels={"exporter": exporter.name},
            )


def _karpenter() -> Iterator[Alert]:
    yield Alert(
        name="KarpenterLaunchFailing",
        severity="warning",
        expression=(
            "sum by (capacity_type, reason) "
            "(increase(karpenter_cloudprovider_instance_launch_failures_total[30m])) > 10"
        ),
        summary="Karpenter cannot start {{ $labels.capacity_type }} instances: {{ $labels.reason }}",
        description="{{ $value | humanize }} offerings failed in half an hour. Pods wait until one succeeds.",
        pending="30m",
    )
    yield Alert(
        name="KarpenterPoolAtLimit",
        severity="info",
        expression="karpenter_nodepools_usage / karpenter_nodepools_limit >= 0.95",
        summary="pool {{ $labels.nodepool }} is at its limit of {{ $labels.resource_type }}",
        description=(
            "{{ $value | humanizePercentage }} of the limit are used. No further nodes are created at 100 %."
        ),
        pending="30m",
    )


def _namespaces(settings: Settings) -> list[str]:
    """Return the namespaces of the platform's controllers."""
    entries = catalog()
    installed = {entries[name].namespace for name in settings.addons if name in entries}
    return sorted({*installed, "monitoring", "tracing"} - {_SHARED, ""})

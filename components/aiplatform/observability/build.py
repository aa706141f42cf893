"""The resources of observability: first its namespace and kinds, last the rules, which its webhook checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi import Input, ResourceOptions

from aiplatform._shared.context import Context
from aiplatform._shared.outputs import mapped_object
from aiplatform.addons.charts import locate
from aiplatform.addons.install import Installed, create_namespace, install
from aiplatform.observability import (
    alertmanager,
    credentials,
    logs,
    monitors,
    objects,
    opencost,
    traces,
    traffic,
)
from aiplatform.observability.args import CHART, ObservabilitySettings
from aiplatform.observability.cloud import Storage
from aiplatform.observability.collectors import Settings
from aiplatform.observability.dashboards import dashboards as dashboards_of
from aiplatform.observability.outputs import ObservabilityOutputs
from aiplatform.observability.rules import rule_groups
from aiplatform.observability.values import values
from aiplatform.observability.values.setup import ADMIN, NAMESPACE, Setup


@dataclass(frozen=True)
class Built:
    """The component's parts that programs refer to."""

    installed: Installed
    outputs: ObservabilityOutputs


def build(
    component: pulumi.ComponentResource, name: str, settings: ObservabilitySettings, after: ResourceOptions
) -> Built:
    """Create all resources as children of `component`. after: what custom resources of add-ons depend on, so
    that they are deleted before their controllers."""
    context = Context[ObservabilitySettings](component, name, settings)
    definitions_addon, chart_addon = settings.installed[:2]
    namespace = create_namespace(component, name, NAMESPACE, settings.cloud, chart_addon.webhook_ports)
    definitions = install(component, name, definitions_addon, locate(definitions_addon, settings.charts), {})
    if settings.cloud == "gcp":
        from aiplatform.observability.cloud import gcp as cloud
    else:
        from aiplatform.observability.cloud import aws as cloud
    storage = cloud.store(context)
    dashboards = dashboards_of(settings.plain)
    before: list[pulumi.Resource] = [
        *namespace,
        *traffic.create(context, context.options(*namespace)),
        *credentials.create(context, namespace, after),
        *objects.create_dashboards(context, dashboards, namespace),
        *storage.needed,
    ]
    chart = install(
        component,
        name,
        chart_addon,
        locate(chart_addon, settings.charts),
        _values(context, storage, list(dashboards)),
        before,
        [definitions],
    )
    ready = ResourceOptions.merge(after, ResourceOptions(depends_on=chart.resources))
    if settings.long_term_storage is not None:
        # It would ring before the chart is there, and once it is gone.
        cloud.create_alarm(context, settings.long_term_storage.alarm, storage, ready)
    if settings.opencost is not None:
        opencost.create(context, chart, after)
    monitors.create(context, ready)
    objects.create_rules(context, rule_groups(settings.plain), ready)
    collected = Context[Settings](component, name, settings)
    store = None
    if settings.logs is not None:
        store = logs.create(collected, settings.logs, definitions.resources).store
    if settings.traces is not None:
        traces.create(collected, settings.traces, definitions.resources)
    return Built(chart, _outputs(settings, storage, store))


def _values(
    context: Context[ObservabilitySettings], storage: Storage, dashboards: Sequence[str]
) -> Input[Mapping[str, Any]]:
    settings = context.settings
    region = ""
    if settings.cloud == "aws":
        # Imported late: on Google Cloud nothing needs AWS' SDK.
        from aiplatform._shared.aws.account import account_of

        region = account_of(context.parent).region
    stored = settings.long_term_storage

    def of(mirrors: Mapping[str, str]) -> Mapping[str, Any]:
        return values(
            Setup(
                cloud=settings.cloud,
                cluster=settings.cluster.name,
                prometheus=replace(settings.prometheus, retention_days=settings.retention_days),
                alertmanager=settings.alertmanager,
                grafana=settings.grafana,
                configuration=alertmanager.configuration(settings.notifications),
                credentials=[alertmanager.secret(file) for file in settings.notifications.secrets],
                dashboards=[objects.config_map(dashboard) for dashboard in dashboards],
                mirrors=mirrors,
                region=region,
                workspace_url=storage.url,
                identities=storage.identities,
                data_source=stored is not None and stored.data_source,
                exports=settings.cloud == "gcp" and stored is not None,
                project=settings.cluster.project or "",
                location=settings.cluster.location or settings.cluster.region or "",
            )
        )

    return mapped_object(settings.mirrors, of)


def _outputs(
    settings: ObservabilitySettings, storage: Storage, log_store: Input[str] | None
) -> ObservabilityOutputs:
    return {
        "namespace": NAMESPACE,
        "prometheus_url": f"http://{CHART}-prometheus.{NAMESPACE}:9090",
        "alertmanager_url": f"http://{CHART}-alertmanager.{NAMESPACE}:9093",
        "grafana_service": f"{CHART}-grafana",
        "grafana_secret": settings.grafana.admin_secret or ADMIN,
        "workspace_id": storage.workspace_id,
        "log_store": log_store,
        "traces_url": traces.OTLP_GRPC if settings.traces is not None else None,
    }

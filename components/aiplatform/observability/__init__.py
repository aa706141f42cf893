"""Observability of a cluster: metrics, alerts, dashboards, and their long-term storage."""

from typing import TYPE_CHECKING

import pulumi
from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.observability.args import ObservabilityArgs, ObservabilitySettings
from aiplatform.observability.outputs import ObservabilityOutputs

if TYPE_CHECKING:
    from aiplatform.addons.install import Installed

__all__ = ["ClusterReferenceArgs", "Observability", "ObservabilityArgs", "ObservabilityOutputs"]


class Observability(ComponentResource):
    """Metrics, alerts and dashboards of a cluster. It needs the cluster's Kubernetes provider in
    `opts.providers`, and the add-ons cert-manager and external-secrets in `opts.depends_on`."""

    namespace: KnownOutput[str]
    """The namespace of Prometheus, Alertmanager and Grafana."""
    prometheus_url: KnownOutput[str]
    """The address of Prometheus inside the cluster, for what queries it."""
    alertmanager_url: KnownOutput[str]
    """The address of Alertmanager inside the cluster."""
    grafana_service: KnownOutput[str]
    """The Service of Grafana, port 80."""
    grafana_secret: KnownOutput[str]
    """The Secret of the namespace with Grafana's administrator, keys `admin-user` and `admin-password`."""
    workspace_id: Output[str | None]
    """AWS: the workspace of Amazon Managed Service for Prometheus; none without long-term storage."""
    log_store: Output[str | None]
    """The log group of CloudWatch Logs, or the log bucket of Cloud Logging, with the logs of containers; none
    without `logs`."""
    traces_url: KnownOutput[str | None]
    """Where Pods send traces by OTLP over gRPC, for OTEL_EXPORTER_OTLP_ENDPOINT; port 4318 takes HTTP. Null
    without `traces`."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ObservabilitySettings, args, "ObservabilityArgs")
        super().__init__("aiplatform:index:Observability", name, {}, opts)
        # Imported late: arguments are checked without Kubernetes' SDK, which takes a second to load.
        from aiplatform.observability.build import build

        after = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
        built = build(self, name, settings, after)
        self.installed: Installed = built.installed
        """The chart: what custom resources of a Python program depend on, as `resources`."""
        self.outputs: ObservabilityOutputs = built.outputs
        publish(self, self.outputs)

    @property
    def resources(self) -> list[pulumi.Resource]:
        """What custom resources of the chart's controllers depend on, for `depends_on`."""
        return self.installed.resources

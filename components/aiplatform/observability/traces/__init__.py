"""Traces, by an OpenTelemetry collector, in X-Ray or Cloud Trace.

created = traces.create(Context(component, name, settings), settings.traces)
"""

from dataclasses import dataclass
from typing import Final

import pulumi

from aiplatform._shared.context import Context
from aiplatform.observability.collectors import Definitions, Settings
from aiplatform.observability.traces.args import ENDPOINTS, Traces
from aiplatform.observability.traces.configuration import GRPC, HTTP, NAME, NAMESPACE

__all__ = ["ENDPOINTS", "GRPC", "HTTP", "NAMESPACE", "OTLP_GRPC", "OTLP_HTTP", "Created", "Traces", "create"]

_HOST: Final = f"{NAME}.{NAMESPACE}.svc.cluster.local"
OTLP_GRPC: Final = f"http://{_HOST}:{GRPC}"
"""Where Pods send traces by gRPC: the value of `OTEL_EXPORTER_OTLP_ENDPOINT`. The namespace of such Pods
allows egress to the collector's namespace at this port."""
OTLP_HTTP: Final = f"http://{_HOST}:{HTTP}"
"""The same over HTTP."""


@dataclass(frozen=True)
class Created:
    """The collection of traces. resources: the Deployment, the Service, and the object by which Prometheus
    finds the Pods."""

    resources: list[pulumi.Resource]


def create(context: Context[Settings], traces: Traces, definitions: Definitions | None = None) -> Created:
    """Create the collector and its permission in the cloud. definitions: what brings the kinds of the
    Prometheus operator; without it nothing states how the collector is scraped."""
    # Imported late: arguments are checked without the clouds' SDKs, which take a second to load.
    from aiplatform.observability.traces import objects

    if context.settings.cluster.cloud == "gcp":
        from aiplatform.observability.traces.gcp import create as create_permission
    else:
        from aiplatform.observability.traces.aws import create as create_permission
    exporter, granted = create_permission(context)
    return Created(objects.create(context, traces, exporter, granted, definitions))

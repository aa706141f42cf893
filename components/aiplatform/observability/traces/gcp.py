"""The permission of the collector on Google Cloud: spans for Cloud Trace, and nothing else."""

from typing import Any

import pulumi
from pulumi import Input

from aiplatform._shared.context import Context
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform.observability.collectors import TRACES_ROLE, Collector, Settings
from aiplatform.observability.collectors.gcp import grant
from aiplatform.observability.traces.configuration import NAME, NAMESPACE, cloud_trace

_WRITER = "roles/cloudtrace.agent"


def create(context: Context[Settings]) -> tuple[Input[dict[str, Any]], list[pulumi.Resource]]:
    """Create the grant. Returns the exporter, and what the collector's Pods wait for."""
    project = context.settings.cluster.project or ""
    logical = f"{context.name}-{NAME}"
    apis = enable_apis(context.parent, logical, project, ["cloudresourcemanager", "cloudtrace", "iam"])
    collector = Collector(NAME, NAMESPACE, TRACES_ROLE, "")
    return cloud_trace(project), grant(context, collector, _WRITER, list(apis.values()))

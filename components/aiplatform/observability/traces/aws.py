"""The permission of the collector on AWS: segments of traces for X-Ray, and nothing else."""

from typing import Any

import pulumi
from pulumi import Input

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.policy_documents import allow, document
from aiplatform._shared.context import Context
from aiplatform.observability.collectors import TRACES_ROLE, Collector, Settings
from aiplatform.observability.collectors.aws import grant
from aiplatform.observability.traces.configuration import NAME, NAMESPACE, xray


def create(context: Context[Settings]) -> tuple[Input[dict[str, Any]], list[pulumi.Resource]]:
    """Create the role with its association. Returns the exporter, and what the collector's Pods wait for."""
    account = account_of(context.parent)
    # PutTraceSegments has no resource-level permissions (Service Authorization Reference).
    policy = document(allow(["xray:PutTraceSegments"], "*", sid="WriteTraces"))
    collector = Collector(NAME, NAMESPACE, TRACES_ROLE, "OpenTelemetry collector: write traces")
    return xray(account.region), grant(context, collector, policy)

"""The logs of containers, by Fluent Bit on each node, in CloudWatch Logs or Cloud Logging.

created = logs.create(Context(component, name, settings), settings.logs)
"""

from dataclasses import dataclass

import pulumi
from pulumi import Input

from aiplatform._shared.context import Context
from aiplatform.observability.collectors import Definitions, Settings
from aiplatform.observability.logs.args import ENDPOINTS, Logs

__all__ = ["ENDPOINTS", "Created", "Logs", "create"]


@dataclass(frozen=True)
class Created:
    """The collection of logs."""

    store: Input[str]
    """AWS: the name of the log group. Google Cloud: the id of the log bucket."""
    resources: list[pulumi.Resource]
    """The DaemonSet, and the object by which Prometheus finds its Pods."""


def create(context: Context[Settings], logs: Logs, definitions: Definitions | None = None) -> Created:
    """Create the store of logs in the cloud, and Fluent Bit in the cluster. definitions: what brings the
    kinds of the Prometheus operator; without it nothing states how Fluent Bit is scraped."""
    # Imported late: arguments are checked without the clouds' SDKs, which take a second to load.
    from aiplatform._shared.kubernetes.daemon_set import NAMESPACE
    from aiplatform.observability.logs import objects

    if context.settings.cluster.cloud == "gcp":
        from aiplatform.observability.logs.gcp import create as create_store
    else:
        from aiplatform.observability.logs.aws import create as create_store
    store = create_store(context, logs, NAMESPACE)
    return Created(store.name, objects.create(context, logs, store, definitions))

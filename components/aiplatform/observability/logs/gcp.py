"""The store of logs on Google Cloud: a separate log bucket with its own key, and the permission to write
entries."""

from typing import Any

from pulumi import Input, Output

from aiplatform._shared.context import Context
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.keys import existing_key, grant_key_use, key, key_ring
from aiplatform._shared.gcp.logs import LogBucket, bucket_id, separate_log_bucket, writer
from aiplatform._shared.outputs import mapped
from aiplatform.observability.collectors import LOGS_ROLE, Collector, Settings
from aiplatform.observability.collectors.gcp import grant
from aiplatform.observability.logs.args import Logs
from aiplatform.observability.logs.configuration import NAME, cloud_logging
from aiplatform.observability.logs.store import Store

_WRITER = "roles/logging.logWriter"


def create(context: Context[Settings], logs: Logs, namespace: str) -> Store:
    """Create the key, the log bucket with the sink to it, and the grant. The bucket takes all logs of the
    cluster's containers, also those of the system, which GKE's agent writes."""
    settings, parent = context.settings, context.parent
    cluster = settings.cluster
    project, region = cluster.project or "", cluster.region or ""
    location = cluster.location or region
    logical, retain = f"{context.name}-{NAME}", settings.retain_data
    apis = enable_apis(parent, logical, project, ["cloudkms", "cloudresourcemanager", "iam", "logging"])
    if logs.kms_key is not None:
        crypto_key = existing_key(logs.kms_key, "ObservabilityArgs.logs.kms_key", grants=logs.kms_key_grants)
    else:
        ring = key_ring(parent, f"{logical}-keys", project, region, [apis["cloudkms"]])
        crypto_key = key(parent, f"{logical}-key", ring, settings.tags, retain=retain)
    email = writer(parent, project, apis["logging"])
    granted = grant_key_use(parent, f"{logical}-key", crypto_key, email, retain=retain)
    name = f"{settings.prefix}-containers"
    bucket = LogBucket(
        project=project,
        region=region,
        name=name,
        description=f"Logs of containers, {settings.prefix}",
        filter=mapped(cluster.name, lambda known: _filter(known, location)),
        days=logs.retention_days,
        retain=retain,
    )
    last = separate_log_bucket(parent, logical, bucket, crypto_key, granted)
    collector = Collector(NAME, namespace, LOGS_ROLE, "")
    writes = grant(context, collector, _WRITER, list(apis.values()))
    output: Input[dict[str, Any]] = mapped(
        cluster.name, lambda known: cloud_logging(project, known, location)
    )
    return Store(Output.from_input(bucket_id(name, crypto_key)), output, [last, *writes])


def _filter(cluster: str, location: str) -> str:
    """Return the query of the logs of a cluster's containers."""
    return (
        f'resource.type="k8s_container" AND resource.labels.cluster_name="{cluster}" '
        f'AND resource.labels.location="{location}"'
    )

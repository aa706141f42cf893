"""A log bucket on Google Cloud: its key, the bucket, the sink to it and the exclusion from `_Default`."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.gcp.logs import LogBucket as Logs
from aiplatform._shared.gcp.logs import bucket_id, create_log_bucket, writer
from aiplatform.log_bucket.args import LogBucketSettings

_APIS: Final = ("cloudkms", "logging")

Context = GcpDataContext[LogBucketSettings]


@dataclass(frozen=True)
class Created:
    """log_bucket: `projects/.../buckets/...`, known once logs are routed to it. kms_key: what encrypts it."""

    log_bucket: Output[str]
    kms_key: Output[str]


def create(parent: pulumi.ComponentResource, name: str, settings: LogBucketSettings) -> Created:
    """Create the resources in the cloud as children of the component."""
    project, region = settings.project or "", settings.region or ""
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, _APIS))
    key = data_key(context)
    grant = grant_member_key_use(
        parent,
        f"{name}-key-logging",
        key,
        Output.concat("serviceAccount:", writer(parent, project, context.apis["logging"])),
        depends_on=[context.apis["cloudkms"]],
        retain=settings.retain_data,
    )
    logs = Logs(
        project=project,
        region=region,
        name=settings.physical_name,
        description=f"Logs of functions and workflows, {settings.prefix}",
        filter=settings.filter,
        days=settings.retention_days,
        retain=settings.retain_data,
    )
    created = create_log_bucket(
        parent, f"{name}-logs", logs, bucket_id(logs.name, key), key.id, [grant, context.apis["logging"]]
    )
    # What writes logs depends on the exclusion, not on the bucket alone: its first log is in the bucket only.
    routed = Output.all(created.id, created.exclusion.id).apply(lambda ids: str(ids[0]))
    return Created(routed, key.id)

"""Data access logs of objects and tables, in a dedicated, encrypted log bucket."""

from typing import Final

from pulumi import Output
from pulumi_gcp import projects

from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.gcp.keys import grant_key_use
from aiplatform._shared.gcp.logs import LogBucket, bucket_id, separate_log_bucket, writer
from aiplatform.lakehouse.gcp.context import Context
from aiplatform.lakehouse.tables import ZONES

_AUDITED: Final = ("biglake", "storage")
"""Services whose data access logs must be enabled; BigQuery's always are."""


def create_access_logs(context: Context, key: DataKey) -> Output[str]:
    """Enable the logs and store them; returns the log bucket."""
    if context.settings.account_settings:
        for service in _AUDITED:
            projects.IAMAuditConfig(
                f"{context.name}-{service}",
                project=context.project,
                service=f"{service}.googleapis.com",
                audit_log_configs=[
                    projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind)
                    for kind in ("DATA_READ", "DATA_WRITE")
                ],
                opts=context.options(context.apis[service], context.apis["cloudresourcemanager"]),
            )
    email = writer(context.parent, context.project, context.apis["logging"])
    grant = grant_key_use(
        context.parent,
        f"{context.name}-key-logging",
        key.key,
        email,
        retain=context.settings.retain_data,
    )
    logs = LogBucket(
        project=context.project,
        region=context.region,
        name=f"{context.settings.prefix}-lakehouse-access",
        description=f"Access to data of {context.settings.prefix}",
        filter=_filter(context),
        days=context.settings.access_log_days,
        retain=context.settings.retain_data,
    )
    separate_log_bucket(context.parent, f"{context.name}-access", logs, key.key, grant)
    return bucket_id(logs.name, key.key)


def _filter(context: Context) -> str:
    buckets, datasets = list(map(context.bucket, ZONES)), list(map(context.database, ZONES))
    if context.settings.batches:
        buckets.append(context.batches_bucket)
    if context.stream_tables:
        buckets.append(context.streams_bucket)
        datasets.append(context.streams_dataset)
    return (
        'log_id("cloudaudit.googleapis.com/data_access") AND ('
        f'(resource.type="gcs_bucket" AND resource.labels.bucket_name=({_any_of(buckets)})) OR '
        f'(resource.type="bigquery_dataset" AND resource.labels.dataset_id=({_any_of(datasets)})) OR '
        f'protoPayload.resourceName:"catalogs/{context.catalog}")'
    )


def _any_of(names: list[str]) -> str:
    return " OR ".join(f'"{name}"' for name in names)

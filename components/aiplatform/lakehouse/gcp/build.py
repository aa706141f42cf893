"""The lakehouse on Google Cloud: its resources, in the order of their dependencies."""

from typing import Any, Final

import pulumi
from pulumi import Output

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import DataKey
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp import spark_jobs
from aiplatform.lakehouse.gcp.access import platform_readers
from aiplatform.lakehouse.gcp.billing import create as create_billing
from aiplatform.lakehouse.gcp.buckets import Buckets, create_buckets, create_key, grant_catalog_access
from aiplatform.lakehouse.gcp.catalog import Catalog, Tables, create_catalog, create_tables
from aiplatform.lakehouse.gcp.context import (
    Context,
    administrators,
    create_service_agents,
    uses_quality,
    uses_topics,
)
from aiplatform.lakehouse.gcp.governance import apply_policies, apply_stream_policies, create_column_policies
from aiplatform.lakehouse.gcp.grants import Targets, create_grants, grant_batches, grant_scanner
from aiplatform.lakehouse.gcp.logs import create_access_logs
from aiplatform.lakehouse.gcp.object_events import notify_arrivals
from aiplatform.lakehouse.gcp.outcomes import Outcomes
from aiplatform.lakehouse.gcp.perimeter import create_perimeter
from aiplatform.lakehouse.gcp.quality import create_scans
from aiplatform.lakehouse.gcp.query import Datasets, create_datasets, limit_queries
from aiplatform.lakehouse.gcp.streams import StreamTables, create_stream_tables, create_subscriptions

_APIS: Final[tuple[str, ...]] = (
    "biglake",
    "bigquery",
    "bigquerydatapolicy",
    "bigquerystorage",
    "cloudkms",
    "cloudresourcemanager",
    "iam",
    "logging",
    "serviceusage",
    "storage",
)


def build(parent: pulumi.ComponentResource, name: str, settings: LakehouseSettings) -> dict[str, Any]:
    """Create the resources as children of the component; returns the component's outputs."""
    context = _context(parent, name, settings)
    agents = create_service_agents(context)
    batch_account = spark_jobs.create_batch_account(context)
    readers = platform_readers(context, agents, batch_account)

    key = create_key(context, agents)
    buckets = create_buckets(context, key)
    log_bucket = create_access_logs(context, key)
    catalog = create_catalog(context, buckets)
    access = grant_catalog_access(context, buckets, catalog.member)
    policies = create_column_policies(context, readers)
    tables = create_tables(context, catalog, policies, access)
    datasets = create_datasets(context, key)
    stream_tables = create_stream_tables(context, key, policies)

    outcomes = Outcomes(context)
    names = {
        **apply_policies(context, buckets, tables, policies, readers, outcomes),
        **apply_stream_policies(context, buckets, stream_tables, policies, outcomes),
    }
    targets = Targets(catalog, datasets, stream_tables, names, outcomes)
    roles = create_grants(context, targets)
    scannable = grant_scanner(context, targets, roles, agents)
    grant_batches(context, targets, roles, batch_account)
    limit_queries(context)
    billing = create_billing(context, key, roles)

    notify_arrivals(context, key, buckets["raw"], agents)
    create_subscriptions(context, key, buckets["raw"], stream_tables, agents)
    create_scans(context, key, scannable, agents)
    spark_jobs.create_batches(context, key, catalog, batch_account)
    create_perimeter(context)
    return {
        **_outputs(context, key, buckets, catalog, datasets),
        "tables": _table_outputs(context, tables, stream_tables),
        "log_bucket": log_bucket,
        "client_role": roles.ask.name,
        "billing_database": billing.database if billing is not None else None,
    }


def _context(parent: pulumi.ComponentResource, name: str, settings: LakehouseSettings) -> Context:
    project = settings.project or ""
    return Context(
        parent,
        name,
        settings,
        project,
        settings.region or "",
        enable_apis(parent, name, project, _apis(settings)),
        administrators(parent, settings),
    )


def _apis(settings: LakehouseSettings) -> list[str]:
    apis: list[str] = list(_APIS)
    if uses_topics(settings):
        apis.append("pubsub")
    if settings.streams:
        apis.append("bigqueryconnection")
    if uses_quality(settings):
        apis.append("dataplex")
    if settings.batches:
        apis += ["cloudscheduler", "compute", "dataproc"]
    if settings.perimeter is not None:
        apis.append("accesscontextmanager")
    return apis


def _outputs(
    context: Context, key: DataKey, buckets: Buckets, catalog: Catalog, datasets: Datasets
) -> dict[str, Any]:
    name: Output[str] = catalog.catalog.name
    return {
        "cloud": "gcp",
        "project": context.project,
        "region": context.region,
        "catalog_id": name,
        "catalog_uri": spark_jobs.CATALOG_URI,
        "warehouse": name.apply(lambda known: spark_jobs.warehouse(context.project, known)),
        "zones": [
            {
                "name": zone,
                "bucket": bucket.name,
                "database": catalog.namespaces[zone].namespace_id,
                "dataset": datasets[zone].dataset_id,
            }
            for zone, bucket in buckets.items()
        ],
        "kms_key": key.key.id,
    }


def _table_outputs(context: Context, tables: Tables, stream_tables: StreamTables) -> list[dict[str, Any]]:
    return [
        {
            "zone": table.zone,
            "database": context.database(table.zone)
            if table.path in tables
            else stream_tables[table.path].dataset_id,
            "name": table.name,
            "location": tables[table.path].location
            if table.path in tables
            else f"gs://{context.streams_bucket}/tables/{table.name}",
        }
        for table in context.settings.tables
    ]

"""The lakehouse on Google Cloud: its parts, in the order in which they need each other."""

from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import projects, serviceaccount, storage

from aiplatform._shared.gcp.apis import switched_on
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.gcp import buckets as gcp_buckets
from aiplatform.lakehouse.gcp import catalog as gcp_catalog
from aiplatform.lakehouse.gcp import governance as gcp_governance
from aiplatform.lakehouse.gcp import grants as gcp_grants
from aiplatform.lakehouse.gcp import logs as gcp_logs
from aiplatform.lakehouse.gcp import object_events as gcp_arrivals
from aiplatform.lakehouse.gcp import perimeter as gcp_perimeter
from aiplatform.lakehouse.gcp import quality as gcp_quality
from aiplatform.lakehouse.gcp import query as gcp_query
from aiplatform.lakehouse.gcp import spark_jobs as gcp_batches
from aiplatform.lakehouse.gcp import streams as gcp_streams
from aiplatform.lakehouse.gcp.access import Inside
from aiplatform.lakehouse.gcp.context import Context, administrators
from aiplatform.lakehouse.gcp.outcomes import Outcomes

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


def _apis(settings: LakehouseSettings) -> list[str]:
    wanted: list[str] = list(_APIS)
    if _uses_topics(settings):
        wanted.append("pubsub")
    if settings.streams:
        wanted.append("bigqueryconnection")
    if _checked(settings):
        wanted.append("dataplex")
    if settings.batches:
        wanted += ["cloudscheduler", "compute", "dataproc"]
    if settings.perimeter is not None:
        wanted.append("accesscontextmanager")
    return wanted


def _checked(settings: LakehouseSettings) -> bool:
    return any(table.quality is not None for table in settings.tables)


def _uses_topics(settings: LakehouseSettings) -> bool:
    return settings.arrival_events or bool(settings.streams) or bool(settings.quality_targets)


def _member(identity: projects.ServiceIdentity | None) -> Output[str]:
    return identity.member if identity is not None else Output.from_input("")


def _inside(
    context: Context, scanner: projects.ServiceIdentity | None, works_as: serviceaccount.Account | None
) -> Inside:
    """The platform's own principals, who see what writers see: of tables with rules Dataplex' agent, too. It
    runs the scans of everybody that may create one, and so sees no other table."""
    own: list[Input[str]] = [*context.administrators]
    if works_as is not None:
        own.append(works_as.member)
    return {
        table.path: [*own, scanner.member] if scanner is not None and table.quality is not None else own
        for table in context.settings.tables
    }


def build(parent: pulumi.ComponentResource, name: str, settings: LakehouseSettings) -> dict[str, Any]:
    """All of it, as children of one component; answers the component's outputs."""
    apis = switched_on(parent, name, settings.project or "", _apis(settings))
    context = Context(parent, name, settings, apis, administrators(parent, settings))
    pubsub = context.identity("pubsub") if _uses_topics(settings) else None
    scanner = context.identity("dataplex") if _checked(settings) else None
    works_as = gcp_batches.account(context)
    inside = _inside(context, scanner, works_as)
    dataproc = context.identity("dataproc") if settings.batches else None
    key = gcp_buckets.key(context, pubsub, dataproc)
    buckets = gcp_buckets.buckets(context, key)
    log_bucket = gcp_logs.access_logs(context, key)
    catalog = gcp_catalog.catalog(context, buckets)
    lets = gcp_buckets.let_catalog(context, buckets, catalog.member)
    declared, policies = gcp_governance.column_policies(context, inside)
    tables = gcp_catalog.tables(
        context,
        catalog,
        {
            table.path: [*lets, *gcp_governance.of_table(declared, policies, table)]
            for table in context.catalogued
        },
    )
    outcomes = Outcomes(context)
    names = gcp_governance.shape(context, buckets, tables, declared, policies, inside, outcomes)
    datasets = gcp_query.datasets(context, key)
    streams = gcp_streams.tables(context, key, declared, policies)
    streamed = gcp_governance.shape_streamed(context, buckets, streams, declared, policies, outcomes)
    targets = gcp_grants.Targets(catalog, datasets, streams, {**names, **streamed}, outcomes)
    roles = gcp_grants.grants(context, targets)
    read_by_scans = gcp_grants.scanned(context, targets, roles, scanner)
    gcp_grants.batch(context, targets, roles, works_as)
    gcp_query.quota(context)
    gcp_arrivals.tell(context, key, buckets["raw"], _member(pubsub), _storage_agent(context))
    gcp_streams.streams(context, key, buckets["raw"], streams, _member(pubsub))
    gcp_quality.scans(context, key, read_by_scans, _member(pubsub))
    gcp_batches.batches(context, key, catalog, works_as)
    gcp_perimeter.perimeter(context)
    return {
        "cloud": "gcp",
        "project": context.project,
        "region": context.region,
        "catalog_id": catalog.catalog.name,
        "catalog_uri": gcp_batches.CATALOG_URI,
        "warehouse": catalog.catalog.name.apply(lambda made: gcp_batches.warehouse(context.project, made)),
        "zones": [
            {
                "name": zone,
                "bucket": bucket.name,
                "database": catalog.namespaces[zone].namespace_id,
                "dataset": datasets[zone].dataset_id,
            }
            for zone, bucket in buckets.items()
        ],
        "tables": [
            {
                "zone": table.zone,
                "database": context.database(table.zone)
                if table.path in tables
                else streams[table.path].dataset_id,
                "name": table.name,
                "location": tables[table.path].location
                if table.path in tables
                else f"gs://{context.streams_bucket}/tables/{table.name}",
            }
            for table in settings.tables
        ],
        "log_bucket": log_bucket,
        "kms_key": key.key.id,
        "client_role": roles.ask.name,
    }


def _storage_agent(context: Context) -> Output[str]:
    answer = storage.get_project_service_account_output(
        project=context.project,
        opts=pulumi.InvokeOutputOptions(parent=context.parent, depends_on=[context.apis["storage"]]),
    )
    return answer.email_address.apply(lambda email: f"serviceAccount:{email}")

"""The lakehouse on AWS: its resources, in the order of their dependencies."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_aws import ec2, glue

from aiplatform._shared.args import ArgumentError
from aiplatform._shared.aws.account import account_of
from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.roles import Role, ServiceRole, roles
from aiplatform.lakehouse.args import LakehouseSettings
from aiplatform.lakehouse.aws import catalog as glue_catalog
from aiplatform.lakehouse.aws import s3_tables
from aiplatform.lakehouse.aws.billing import create as create_billing
from aiplatform.lakehouse.aws.buckets import Buckets, create_buckets, create_key
from aiplatform.lakehouse.aws.catalog_entries import Catalog, Store
from aiplatform.lakehouse.aws.change_data_capture import capture_problems, create_captures
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.event_rules import notify_arrivals
from aiplatform.lakehouse.aws.glue_jobs import create_security_configuration
from aiplatform.lakehouse.aws.governance import (
    Tags,
    create_account_settings,
    create_tags,
    grant_to_migrator,
    grant_to_workers,
    register_locations,
    tag_tables,
)
from aiplatform.lakehouse.aws.grants import create_grants, grant_default_database
from aiplatform.lakehouse.aws.job_logs import create_job_logs
from aiplatform.lakehouse.aws.limits import limit_problems
from aiplatform.lakehouse.aws.principals import grant_principals
from aiplatform.lakehouse.aws.quality import create_quality_gate, create_quality_job, notify_failed_rules
from aiplatform.lakehouse.aws.query import Queries, create_workgroups
from aiplatform.lakehouse.aws.roles import Roles, allow_writers_to_assume, create_roles
from aiplatform.lakehouse.aws.spark_jobs import create_batches
from aiplatform.lakehouse.aws.streams import create_producer_policy, create_streams
from aiplatform.lakehouse.aws.table_migrator import (
    create_default_database,
    create_migrator,
    migrate_tables,
    migration_problems,
)


def build(parent: pulumi.ComponentResource, name: str, settings: LakehouseSettings) -> dict[str, Any]:
    """Create the resources as children of the component; returns the component's outputs."""
    context = _context(parent, name, settings)
    writers = _validate(context)
    principals = grant_principals(context)

    key = create_key(context, principals)
    roles = create_roles(context, key, writers)
    buckets = create_buckets(context, key, roles)
    account = create_account_settings(context)
    store = _create_store(context, key, roles, buckets, [*account, *roles.table_policies])

    worker_permissions = grant_to_workers(context, store, _workers(context, roles))
    migrator = create_migrator(context, roles.table_migrator, key)
    migrator_permissions = grant_to_migrator(context, store, roles.table_migrator)
    catalog = migrate_tables(context, migrator, store, migrator_permissions)
    table_access = [*roles.table_policies, *worker_permissions]

    tags = _govern_by_tags(context, catalog, roles, account, table_access)
    create_grants(context, tags, catalog, principals)
    if any(principal.local for principal in principals):
        default = create_default_database(context, migrator, account)
        grant_default_database(context, principals, default, account)
    billing = create_billing(context, key, roles, buckets, principals, [*account, *roles.table_policies])
    allow_writers_to_assume(context, roles.writer, writers)
    queries = create_workgroups(context, key, principals)

    notify_arrivals(context)
    streams = create_streams(context, roles.streams, key, catalog)
    producer_policy = create_producer_policy(context, streams)
    captures = create_captures(context, key, roles.captures, buckets.zones["raw"])
    jobs = _create_jobs(context, roles, key, catalog, [*table_access, *buckets.zones["curated"].ready])
    notify_failed_rules(context)
    return {
        **_outputs(context, key, buckets, catalog, queries, captures),
        "writer_role_arn": roles.writer.arn,
        "streams": {name: stream.arn for name, stream in streams.items()},
        "producer_policy_arn": producer_policy.arn if producer_policy is not None else None,
        "batches": {name: job.name for name, job in jobs.items()},
        "table_keeper": migrator.function.name,
        "billing_database": billing.database if billing is not None else None,
    }


def _context(parent: pulumi.ComponentResource, name: str, settings: LakehouseSettings) -> Context:
    account = account_of(parent)
    session = aws.iam.get_session_context(arn=account.caller_arn, opts=pulumi.InvokeOptions(parent=parent))
    return Context(parent, name, settings, account, session.issuer_arn)


def _validate(context: Context) -> list[Role]:
    """Check what only the cloud knows, before anything is created; returns the roles of writers."""
    writers = {f"LakehouseArgs.writers[{index}]": arn for index, arn in enumerate(context.settings.writers)}
    writer_roles = roles(writers, context.account.account_id)
    problems = [*capture_problems(context), *limit_problems(context), *migration_problems(context)]
    if problems:
        raise ArgumentError(problems)
    return writer_roles


def _create_store(
    context: Context,
    key: Key,
    roles: Roles,
    buckets: Buckets,
    depends_on: Sequence[pulumi.Resource],
) -> Store:
    """Create databases and tables, in S3 Tables or in the zones' buckets."""
    if context.uses_s3_tables:
        bucket = s3_tables.create_table_bucket(context, key, roles.lake_formation)
        registered = s3_tables.register_with_lake_formation(context, roles.lake_formation, key, depends_on)
        databases = s3_tables.create_namespaces(context, bucket, registered)
        return Store(databases, s3_tables.create_tables(context, bucket, databases, key), {})
    locations = register_locations(context, buckets, roles.lake_formation, depends_on)
    databases = glue_catalog.create_databases(context, depends_on)
    return Store(databases, glue_catalog.create_tables(context, databases, locations), locations)


def _workers(context: Context, roles: Roles) -> dict[str, ServiceRole]:
    """The roles that change tables. S3 Tables optimizes its tables itself."""
    if context.uses_s3_tables:
        return {"writer": roles.writer}
    return {"writer": roles.writer, "optimizer": roles.optimizer}


def _govern_by_tags(
    context: Context,
    catalog: Catalog,
    roles: Roles,
    account: Sequence[pulumi.Resource],
    table_access: Sequence[pulumi.Resource],
) -> Tags | None:
    """Tag and optimize the tables of the account's default catalog. None with S3 Tables, which has neither
    LF-tags nor optimizers of Glue. table_access: what optimizers depend on."""
    if context.uses_s3_tables:
        return None
    tags = create_tags(context, account)
    tag_tables(context, tags, catalog)
    glue_catalog.create_optimizers(context, catalog, roles.optimizer, table_access)
    return tags


def _create_jobs(
    context: Context,
    roles: Roles,
    key: Key,
    catalog: Catalog,
    depends_on: Sequence[pulumi.Resource],
) -> dict[str, glue.Job]:
    """Create the batches, which are returned, and the job that evaluates quality rules."""
    gate = create_quality_gate(context, catalog, depends_on)
    if not context.settings.batches and roles.quality is None:
        return {}
    security = create_security_configuration(context, key)
    if roles.quality is not None:
        logs = create_job_logs(context, "tester", roles.quality, security, key)
        create_quality_job(context, roles.quality, security, catalog, gate, [*depends_on, *logs])
    if not context.settings.batches:
        return {}
    logs = create_job_logs(context, "writer", roles.writer, security, key)
    return create_batches(context, roles.writer, security, gate, [*depends_on, *logs])


def _outputs(
    context: Context,
    key: Key,
    buckets: Buckets,
    catalog: Catalog,
    queries: Queries,
    captures: ec2.SecurityGroup | None,
) -> dict[str, Any]:
    """The outputs of data and access."""
    tables = ((table, catalog.tables[table.path]) for table in context.settings.tables)
    return {
        "cloud": context.settings.cloud,
        "region": context.account.region,
        "catalog_id": context.warehouse,
        "catalog_uri": f"https://glue.{context.account.region}.{context.account.dns_suffix}/iceberg",
        "warehouse": context.warehouse,
        "zones": [
            {
                "name": zone,
                "bucket": bucket.bucket.bucket,
                "bucket_arn": bucket.bucket.arn,
                "database": catalog.databases[zone].name,
            }
            for zone, bucket in buckets.zones.items()
        ],
        "tables": [
            {
                "zone": declared.zone,
                "database": table.database_name,
                "name": table.name,
                "location": table.location,
            }
            for declared, table in tables
        ],
        "log_bucket": buckets.logs.name,
        "kms_key": key.arn,
        "kms_key_arn": key.arn,
        "workgroups": queries.workgroups,
        "client_policies": queries.policies,
        "capture_security_group_id": captures.id if captures is not None else None,
    }

"""The export of the account's costs (CUR 2.0): its bucket, its table with views, and who reads them.

Data Exports writes Parquet files of each month, which each refresh replaces, up to three times a day. The
table finds the months by partition projection: no crawler and no partition is needed.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Output
from pulumi_aws import bcmdata, glue, lakeformation, s3

from aiplatform._shared.aws.buckets import (
    AccessLogs,
    Bucket,
    deleted_after,
    deny,
    encrypted,
    expired_after,
    logged,
    plain_http,
    private_bucket,
    versioned,
    with_policy,
)
from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.policy_documents import Statement, document
from aiplatform.lakehouse.aws.billing_permissions import SERVICES, TABLE
from aiplatform.lakehouse.aws.buckets import READ_OBJECTS, Buckets
from aiplatform.lakehouse.aws.context import BILLING, Context
from aiplatform.lakehouse.aws.principals import Principal
from aiplatform.lakehouse.aws.roles import Roles
from aiplatform.lakehouse.billing import LakehouseBillingExportSettings, athena_queries

_REGION: Final = "us-east-1"
"""The region of exports, wherever the bucket is."""
_REPLACED_DAYS: Final = 7
"""Days until the files that a refresh replaced are deleted."""
COLUMNS: Final[Mapping[str, str]] = {
    "bill_billing_period_start_date": "timestamp",
    "bill_payer_account_id": "string",
    "identity_line_item_id": "string",
    "line_item_currency_code": "string",
    "line_item_line_item_description": "string",
    "line_item_line_item_type": "string",
    "line_item_operation": "string",
    "line_item_product_code": "string",
    "line_item_resource_id": "string",
    "line_item_unblended_cost": "double",
    "line_item_usage_account_id": "string",
    "line_item_usage_amount": "double",
    "line_item_usage_end_date": "timestamp",
    "line_item_usage_start_date": "timestamp",
    "line_item_usage_type": "string",
    "pricing_public_on_demand_cost": "double",
    "pricing_term": "string",
    "product_instance_type": "string",
    "product_region_code": "string",
    "reservation_effective_cost": "double",
    "reservation_unused_amortized_upfront_fee_for_billing_period": "double",
    "reservation_unused_recurring_fee": "double",
    "resource_tags": "map<string,string>",
    "savings_plan_savings_plan_effective_cost": "double",
    "savings_plan_total_commitment_to_date": "double",
    "savings_plan_used_commitment": "double",
    "split_line_item_parent_resource_id": "string",
    "split_line_item_split_cost": "double",
    "split_line_item_unused_cost": "double",
}
"""Columns of CUR 2.0 and their types in Hive (its table dictionary). An export names them: `*` is refused."""
PERIOD: Final = "billing_period"
"""The partition: a month, `2026-11`."""
_FIRST: Final = "2024-01"
"""The first month that the table looks for. Exports have the months since they were created."""
_VIEW_TYPES: Final = {"billing_period": "string", "cost": "double", "day": "date"}
_PRESTO_TYPES: Final = {"string": "varchar"}
_VIEW_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "cost_by_team": ("billing_period", "day", "team", "service", "currency", "cost"),
    "cost_by_model": ("billing_period", "day", "team", "namespace", "model", "currency", "cost"),
}


@dataclass(frozen=True)
class Billing:
    """The table of costs, and what its views are."""

    database: Output[str]


def create(
    context: Context,
    key: Key,
    roles: Roles,
    buckets: Buckets,
    principals: Sequence[Principal],
    depends_on: Sequence[pulumi.Resource],
) -> Billing | None:
    """Create the export with its table and views, and grant them. depends_on: what Lake Formation needs."""
    settings = context.settings.billing_export
    if settings is None:
        return None
    bucket = _bucket(context, key, roles, buckets.logs, settings)
    _export(context, settings, bucket)
    location = lakeformation.Resource(
        f"{context.name}-{BILLING}",
        arn=bucket.bucket.arn.apply(lambda arn: f"{arn}/{TABLE}"),
        role_arn=roles.lake_formation.arn,
        hybrid_access_enabled=False,
        opts=context.options(*depends_on, *bucket.ready),
    )
    database = glue.CatalogDatabase(
        f"{context.name}-{BILLING}",
        name=context.billing_database,
        description=f"What the account of {context.settings.prefix} costs",
        tags=context.tags(BILLING),
        opts=context.options(*depends_on, data=True, delete_before_replace=True),
    )
    table = _table(context, database, location)
    views = _views(context, settings, database, table)
    for principal in principals:
        if principal.reads_costs:
            _grant(context, principal, database, [table, *views])
    return Billing(database.name)


def _bucket(
    context: Context, key: Key, roles: Roles, logs: AccessLogs, settings: LakehouseBillingExportSettings
) -> Bucket:
    bucket = private_bucket(context, BILLING, force_destroy=context.settings.force_destroy)
    name = bucket.bucket.bucket
    versioning = versioned(context, BILLING, name)
    bucket.ready.extend([versioning, encrypted(context, BILLING, name, key)])
    policy = roles.lake_formation.arn.apply(lambda arn: _policy(context, [arn, context.deployer_arn]))
    bucket.ready.append(with_policy(context, BILLING, bucket, policy))
    s3.BucketLifecycleConfiguration(
        f"{context.name}-{BILLING}",
        bucket=name,
        rules=[deleted_after(_REPLACED_DAYS), expired_after("old", f"{TABLE}/", settings.retained_days)],
        # S3 accepts rules about noncurrent versions only in a versioned bucket.
        opts=context.options(versioning, data=True),
    )
    logged(context, BILLING, name, logs)
    return bucket


def _policy(context: Context, readers: Sequence[str]) -> str:
    """Allow Data Exports to write exports of this account, and only the readers to read objects: all others
    read through Lake Formation. No statement about encryption: whether Data Exports states one is not
    documented, and the bucket's default is the key."""
    partition, account = context.account.partition, context.account.account_id
    writes: Statement = {
        "Sid": "ExportsWrite",
        "Effect": "Allow",
        "Principal": {"Service": list(SERVICES)},
        "Action": ["s3:GetBucketPolicy", "s3:PutObject"],
        "Resource": [context.bucket_arn(BILLING), context.bucket_arn(BILLING, "/*")],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {
                "aws:SourceArn": [
                    f"arn:{partition}:bcm-data-exports:{_REGION}:{account}:export/*",
                    f"arn:{partition}:cur:{_REGION}:{account}:definition/*",
                ]
            },
        },
    }
    past = {"ArnNotEquals": {"aws:PrincipalArn": list(readers)}}
    return document(
        plain_http(context, BILLING),
        writes,
        deny("PastGovernance", READ_OBJECTS, context.bucket_arn(BILLING, "/*"), past),
    )


def _export(context: Context, settings: LakehouseBillingExportSettings, bucket: Bucket) -> None:
    query = f"SELECT {', '.join(COLUMNS)} FROM COST_AND_USAGE_REPORT"  # noqa: S608 - fixed columns
    s3_destination = bcmdata.ExportExportDestinationConfigurationS3DestinationArgs(
        s3_bucket=bucket.bucket.bucket,
        s3_prefix=TABLE,
        s3_region=context.account.region,
        s3_output_configurations=[
            bcmdata.ExportExportDestinationConfigurationS3DestinationS3OutputConfigurationArgs(
                output_type="CUSTOM",
                format="PARQUET",
                compression="PARQUET",
                overwrite="OVERWRITE_REPORT",
            )
        ],
    )
    bcmdata.Export(
        f"{context.name}-{BILLING}",
        export=bcmdata.ExportExportArgs(
            name=context.billing_export,
            description=f"Costs of the account, for {context.settings.prefix}'s lakehouse",
            data_queries=[
                bcmdata.ExportExportDataQueryArgs(
                    query_statement=query,
                    table_configurations={
                        "COST_AND_USAGE_REPORT": {
                            # Data Exports adds the view where none is stated, and each `up` would then
                            # replace the export.
                            "BILLING_VIEW_ARN": context.account.arn(
                                "billing", "billingview/primary", regional=False
                            ),
                            "INCLUDE_MANUAL_DISCOUNT_COMPATIBILITY": "FALSE",
                            "INCLUDE_RESOURCES": "TRUE",
                            # The cost of Pods, once the account takes part in split cost allocation.
                            "INCLUDE_SPLIT_COST_ALLOCATION_DATA": "TRUE",
                            "TIME_GRANULARITY": (settings.granularity or "daily").upper(),
                        }
                    },
                )
            ],
            destination_configurations=[
                bcmdata.ExportExportDestinationConfigurationArgs(s3_destinations=[s3_destination])
            ],
            refresh_cadences=[bcmdata.ExportExportRefreshCadenceArgs(frequency="SYNCHRONOUS")],
        ),
        tags=context.settings.tags,
        # Data Exports checks the policy of the bucket.
        opts=context.options(*bucket.ready, delete_before_replace=True),
    )


def _table(
    context: Context, database: glue.CatalogDatabase, location: lakeformation.Resource
) -> glue.CatalogTable:
    folder = f"s3://{context.bucket(BILLING)}/{TABLE}/{context.billing_export}/data"
    return glue.CatalogTable(
        f"{context.name}-{BILLING}-{TABLE}",
        name=TABLE,
        database_name=database.name,
        description="Line items of AWS's Cost and Usage Report 2.0",
        table_type="EXTERNAL_TABLE",
        partition_keys=[glue.CatalogTablePartitionKeyArgs(name=PERIOD, type="string")],
        parameters={
            "classification": "parquet",
            "projection.enabled": "true",
            f"projection.{PERIOD}.type": "date",
            f"projection.{PERIOD}.format": "yyyy-MM",
            f"projection.{PERIOD}.range": f"{_FIRST},NOW",
            f"projection.{PERIOD}.interval": "1",
            f"projection.{PERIOD}.interval.unit": "MONTHS",
            "storage.location.template": f"{folder}/BILLING_PERIOD=${{{PERIOD}}}/",
        },
        storage_descriptor=glue.CatalogTableStorageDescriptorArgs(
            location=f"{folder}/",
            input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            ser_de_info=glue.CatalogTableStorageDescriptorSerDeInfoArgs(
                serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            ),
            columns=_columns(COLUMNS),
        ),
        opts=context.options(location, data=True, delete_before_replace=True),
    )


def _views(
    context: Context,
    settings: LakehouseBillingExportSettings,
    database: glue.CatalogDatabase,
    table: glue.CatalogTable,
) -> list[pulumi.Resource]:
    return [
        glue.CatalogTable(
            f"{context.name}-{BILLING}-{name.replace('_', '-')}",
            name=name,
            database_name=database.name,
            table_type="VIRTUAL_VIEW",
            # As Athena itself creates a view.
            parameters={"comment": "Presto View", "presto_view": "true"},
            storage_descriptor=glue.CatalogTableStorageDescriptorArgs(
                columns=_columns(_view_columns(name)),
                ser_de_info=glue.CatalogTableStorageDescriptorSerDeInfoArgs(),
            ),
            view_original_text=view_text(query, context.billing_database, _view_columns(name)),
            view_expanded_text="/* Presto View */",
            opts=context.options(table, delete_before_replace=True),
        )
        for name, query in athena_queries(settings, TABLE).items()
    ]


def _view_columns(view: str) -> dict[str, str]:
    return {name: _VIEW_TYPES.get(name, "string") for name in _VIEW_COLUMNS[view]}


def view_text(query: str, database: str, columns: Mapping[str, str]) -> str:
    """Return a view as Athena stores it in Glue: a document with the query and the types of its columns."""
    content: dict[str, Any] = {
        "originalSql": query,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": _PRESTO_TYPES.get(kind, kind)} for name, kind in columns.items()],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(content).encode()).decode()} */"


def _columns(types: Mapping[str, str]) -> list[glue.CatalogTableStorageDescriptorColumnArgs]:
    return [
        glue.CatalogTableStorageDescriptorColumnArgs(name=name, type=kind) for name, kind in types.items()
    ]


def _grant(
    context: Context,
    principal: Principal,
    database: glue.CatalogDatabase,
    tables: Sequence[pulumi.Resource],
) -> None:
    """Grant the database and all of its tables: a view is read with the permissions of who queries it, on
    the table, too."""
    name = f"{context.name}-{principal.key}-{BILLING}"
    lakeformation.Permissions(
        f"{name}-database",
        principal=principal.arn,
        permissions=["DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(name=database.name),
        opts=context.options(delete_before_replace=True),
    )
    lakeformation.Permissions(
        name,
        principal=principal.arn,
        permissions=["DESCRIBE", "SELECT"],
        table=lakeformation.PermissionsTableArgs(database_name=database.name, wildcard=True),
        opts=context.options(*tables, delete_before_replace=True),
    )

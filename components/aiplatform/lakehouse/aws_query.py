"""Queries: an Athena workgroup, and the policy of whoever asks."""

from typing import Final

from pulumi_aws import athena, iam, kms

from aiplatform._aws import Statement, allow, document
from aiplatform.lakehouse.aws_context import Context
from aiplatform.lakehouse.aws_names import CLIENT_POLICY, WORKGROUP
from aiplatform.lakehouse.aws_roles import GET_DATA_ACCESS, READ_CATALOG

_QUERY: Final = (
    "athena:BatchGetQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "athena:GetWorkGroup",
    "athena:ListQueryExecutions",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)


def workgroup(context: Context, key: kms.Key) -> athena.Workgroup:
    """The workgroup. Athena keeps results itself, under the key: in a bucket, all who may query could read
    each other's."""
    return athena.Workgroup(
        f"{context.name}-workgroup",
        name=WORKGROUP.of(context.settings.prefix),
        description=f"Queries of {context.settings.prefix}'s lakehouse",
        configuration=athena.WorkgroupConfigurationArgs(
            # What a client asks for counts for nothing.
            enforce_workgroup_configuration=True,
            bytes_scanned_cutoff_per_query=context.settings.cutoff_bytes,
            publish_cloudwatch_metrics_enabled=True,
            requester_pays_enabled=False,
            engine_version=athena.WorkgroupConfigurationEngineVersionArgs(
                selected_engine_version="Athena engine version 3"
            ),
            managed_query_results_configuration=athena.WorkgroupConfigurationManagedQueryResultsConfigurationArgs(
                enabled=True,
                encryption_configuration=athena.WorkgroupConfigurationManagedQueryResultsConfigurationEncryptionConfigurationArgs(
                    kms_key=key.arn
                ),
            ),
        ),
        # Saved queries are no data: they do not keep an environment from being destroyed.
        force_destroy=True,
        tags=context.tags("lakehouse"),
        opts=context.options(delete_before_replace=True),
    )


def client_policy(context: Context, key: kms.Key) -> iam.Policy:
    """What IAM lets a team's role do, for its role to be attached to: ask. What the answer is, Lake Formation
    decides. No right on a bucket is in it."""
    return iam.Policy(
        f"{context.name}-client",
        name_prefix=CLIENT_POLICY.of(context.settings.prefix),
        description=f"To query {context.settings.prefix}'s lakehouse",
        policy=key.arn.apply(lambda arn: document(*_client(context, arn))),
        tags=context.settings.tags,
        opts=context.options(),
    )


def _client(context: Context, key_arn: str) -> list[Statement]:
    workgroup = context.place.arn("athena", f"workgroup/{WORKGROUP.of(context.settings.prefix)}")
    by_athena = f"athena.{context.place.region}.{context.place.dns_suffix}"
    return [
        # UpdateTable: a commit to an Iceberg table. Lake Formation asks for ALTER, which readers do not have.
        allow([*READ_CATALOG, "glue:UpdateTable"], context.catalog_arns, sid="Tables"),
        GET_DATA_ACCESS,
        allow(_QUERY, workgroup, sid="Query"),
        allow(
            ["athena:GetDataCatalog"],
            context.place.arn("athena", "datacatalog/AwsDataCatalog"),
            sid="FindCatalog",
        ),
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
            key_arn,
            {
                "StringEquals": {"kms:ViaService": by_athena},
                "ArnLike": {"kms:EncryptionContext:aws:athena:arn": workgroup},
            },
            sid="Results",
        ),
    ]

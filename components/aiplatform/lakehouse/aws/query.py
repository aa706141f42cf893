"""Queries: for each principal of a grant an Athena workgroup, and what IAM lets it do.

Athena gives the results and the texts of a workgroup's queries to every principal that may read in the
workgroup, whatever Lake Formation grants it (Athena user guide, "Managed query results"; "Considerations and
limitations for querying data registered with Lake Formation"). A workgroup is therefore one principal's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_aws import athena, kms

from aiplatform._shared.aws.managed_policies import attached
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.principals import Principal, role_name, workgroup_name
from aiplatform.lakehouse.aws.roles import DEFAULT_DATABASE, GET_DATA_ACCESS, READ_CATALOG

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


@dataclass(frozen=True)
class Queries:
    """By the names of grants. workgroups: of grants whose principal is a role of this account; a role of
    another account queries in a workgroup of its own account. policies: the documents of what IAM must allow,
    which roles of this account have already, except those that AWS alone may change."""

    workgroups: dict[str, pulumi.Output[str]]
    policies: dict[str, pulumi.Output[str]]


def queries(context: Context, key: kms.Key, principals: Sequence[Principal]) -> Queries:
    """The workgroups, and the policies that are attached to the roles of this account."""
    workgroups: dict[str, Output[str]] = {}
    policies: dict[str, Output[str]] = {}
    for principal in principals:
        group = _workgroup(context, key, principal) if principal.local else None
        policy = _policy(context, key, principal, group)
        for grant in principal.grants:
            policies[grant.name] = policy
            if group is not None:
                workgroups[grant.name] = group.name
        if principal.gets_policy:
            _attached(context, principal, policy)
    return Queries(workgroups, policies)


def _workgroup(context: Context, key: kms.Key, principal: Principal) -> athena.Workgroup:
    """A workgroup whose results Athena keeps itself, under the key."""
    prefix = context.settings.prefix
    name = f"{context.name}-workgroup-{principal.key}"
    return athena.Workgroup(
        name,
        name=Output.from_input(principal.arn).apply(lambda arn: workgroup_name(prefix, arn)),
        description=Output.from_input(principal.arn).apply(
            lambda arn: f"Queries of {arn.rpartition('/')[2]} in {prefix}'s lakehouse"
        ),
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
        opts=context.options(delete_before_replace=True, formerly=principal.formerly(name)),
    )


def _policy(
    context: Context, key: kms.Key, principal: Principal, group: athena.Workgroup | None
) -> Output[str]:
    return Output.all(key.arn, None if group is None else group.name).apply(
        lambda known: document(*_statements(context, principal, str(known[0]), known[1]))
    )


def _attached(context: Context, principal: Principal, policy: Output[str]) -> None:
    # One role may read several lakehouses, of whose rights its inline policies would be too long.
    attached(
        f"{context.name}-client-{principal.key}",
        f"{context.settings.prefix}-lakehouse-client-{principal.short}",
        role_name(principal.arn),
        policy,
        context.settings.tags,
        context.options(),
    )


def _statements(
    context: Context, principal: Principal, key_arn: str, workgroup: str | None
) -> list[Statement]:
    """What IAM must let a principal do so that Lake Formation decides. No right on a bucket is in it."""
    # UpdateTable: a commit to an Iceberg table.
    catalog = [*READ_CATALOG, *(["glue:UpdateTable"] if principal.writes else [])]
    tables = [allow(catalog, context.catalog_arns, sid="Tables"), GET_DATA_ACCESS]
    if workgroup is None:
        return tables
    arn = context.place.arn("athena", f"workgroup/{workgroup}")
    return [
        *tables,
        allow(
            ["glue:GetDatabase", "glue:GetDatabases"],
            [
                context.place.arn("glue", "catalog"),
                context.place.arn("glue", f"database/{DEFAULT_DATABASE}"),
            ],
            sid="DefaultDatabase",
        ),
        allow(_QUERY, arn, sid="Query"),
        allow(
            ["athena:GetDataCatalog"],
            context.place.arn("athena", "datacatalog/AwsDataCatalog"),
            sid="FindCatalog",
        ),
        # The context is the workgroup's: with the key alone, no other workgroup's results are opened.
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key_arn,
            {"ArnLike": {"kms:EncryptionContext:aws:athena:arn": arn}},
            sid="Results",
        ),
        # It has no context (KMS developer guide, "Encryption context").
        allow(["kms:DescribeKey"], key_arn, sid="FindKey"),
    ]

"""Queries: for each principal of a grant an Athena workgroup, and what IAM allows it.

Athena returns the results and the texts of a workgroup's queries to every principal that may read in the
workgroup, regardless of Lake Formation (Athena user guide, "Managed query results"; "Considerations and
limitations for querying data registered with Lake Formation"). A workgroup therefore belongs to one
principal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Output
from pulumi_aws import athena

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.managed_policies import attached
from aiplatform._shared.aws.policy_documents import Statement, allow, document
from aiplatform.lakehouse.aws.billing_permissions import client_statement
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.permissions import DEFAULT_DATABASE, GET_DATA_ACCESS, READ_CATALOG
from aiplatform.lakehouse.aws.principals import Principal, role_name, workgroup_name

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
    another account queries in a workgroup of that account. policies: documents of what IAM must allow; they
    are attached to roles of this account, except to those that only AWS may change."""

    workgroups: dict[str, Output[str]]
    policies: dict[str, Output[str]]


def create_workgroups(context: Context, key: Key, principals: Sequence[Principal]) -> Queries:
    """Create the workgroups and the policies of the roles of this account."""
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
            _attach_policy(context, principal, policy)
    return Queries(workgroups, policies)


def _workgroup(context: Context, key: Key, principal: Principal) -> athena.Workgroup:
    """A workgroup whose results Athena itself stores, encrypted by the key."""
    prefix = context.settings.prefix
    name = f"{context.name}-workgroup-{principal.key}"
    return athena.Workgroup(
        name,
        name=Output.from_input(principal.arn).apply(lambda arn: workgroup_name(prefix, arn)),
        description=Output.from_input(principal.arn).apply(
            lambda arn: f"Queries of {arn.rpartition('/')[2]} in {prefix}'s lakehouse"
        ),
        configuration=athena.WorkgroupConfigurationArgs(
            # Settings of clients are without effect.
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
        # Saved queries are no data: they do not prevent the destruction of an environment.
        force_destroy=True,
        tags=context.tags("lakehouse"),
        opts=context.options(delete_before_replace=True, former_names=principal.former_names(name)),
    )


def _policy(context: Context, key: Key, principal: Principal, group: athena.Workgroup | None) -> Output[str]:
    return Output.all(key.arn, None if group is None else group.name).apply(
        lambda known: document(*_statements(context, principal, str(known[0]), known[1]))
    )


def _attach_policy(context: Context, principal: Principal, policy: Output[str]) -> None:
    # Not inline: a role that reads several lakehouses would exceed the size of its inline policies.
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
    """Return what IAM must allow a principal so that Lake Formation decides. No permission on a bucket."""
    # UpdateTable: a commit to an Iceberg table.
    catalog = [*READ_CATALOG, *(["glue:UpdateTable"] if principal.writes else [])]
    tables = [allow(catalog, context.catalog_arns, sid="Tables"), GET_DATA_ACCESS]
    if principal.reads_costs:
        tables.append(client_statement(context, READ_CATALOG))
    if workgroup is None:
        return tables
    arn = context.account.arn("athena", f"workgroup/{workgroup}")
    return [
        *tables,
        allow(
            ["glue:GetDatabase", "glue:GetDatabases"],
            [
                context.account.arn("glue", "catalog"),
                context.account.arn("glue", f"database/{DEFAULT_DATABASE}"),
            ],
            sid="DefaultDatabase",
        ),
        allow(_QUERY, arn, sid="Query"),
        allow(
            ["athena:GetDataCatalog"],
            context.account.arn("athena", "datacatalog/AwsDataCatalog"),
            sid="FindCatalog",
        ),
        # In the context of its workgroup: results of other workgroups are not decrypted.
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key_arn,
            {"ArnLike": {"kms:EncryptionContext:aws:athena:arn": arn}},
            sid="Results",
        ),
        # It has no context (KMS developer guide, "Encryption context").
        allow(["kms:DescribeKey"], key_arn, sid="FindKey"),
    ]

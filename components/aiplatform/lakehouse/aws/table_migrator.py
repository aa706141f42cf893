"""The table keeper on AWS: the function, what it may do, and one call of it for each declaration of a table.

A call is made when its table's declaration is new or other than at the last `up`, and never besides.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Final

import pulumi
from pulumi import AssetArchive, StringAsset
from pulumi_aws import iam, kms, lakeformation, lambda_

from aiplatform._shared.args import Problem
from aiplatform._shared.aws.logs import log_group
from aiplatform._shared.aws.policy_documents import Statement, allow, document, trust
from aiplatform.lakehouse import table_keeper
from aiplatform.lakehouse.aws.catalog_entries import Entry
from aiplatform.lakehouse.aws.context import Context
from aiplatform.lakehouse.aws.names import KEEPER, KEEPER_LOGS, KEEPER_ROLE
from aiplatform.lakehouse.aws.roles import DEFAULT_DATABASE, GET_DATA_ACCESS
from aiplatform.lakehouse.table_spec import declaration

RUNTIME: Final = "python3.13"
_HANDLER: Final = "table_keeper.handler.handle"
_TIMEOUT: Final = 300
_LOG_DAYS: Final = 90


def refused(context: Context) -> Iterator[Problem]:
    """What the keeper would refuse of today's declarations, asked before anything is made. Nothing in the run
    that makes it; and where it cannot be asked, `up` will tell."""
    tables = context.settings.tables
    if not tables:
        return
    asked = {
        "warehouse": context.warehouse,
        "judge": [
            {
                "database": context.database(table.zone),
                "table": table.name,
                **declaration(context.settings, table),
            }
            for table in tables
        ],
    }
    try:
        answer = lambda_.get_invocation(
            function_name=KEEPER.of(context.settings.prefix),
            input=json.dumps(asked),
            opts=pulumi.InvokeOptions(parent=context.parent),
        )
    except Exception as error:  # noqa: BLE001 - the SDK raises no narrower one
        if "ResourceNotFound" not in str(error):
            pulumi.log.warn(f"changes of tables are judged by `up` alone: {error}", context.parent)
        return
    problems: dict[str, list[str]] = json.loads(answer.result).get("problems", {})
    for index, table in enumerate(tables):
        for reason in problems.get(table.path, []):
            yield Problem(f"LakehouseArgs.tables[{index}]", f"{table.path}: {reason}")


def role(context: Context) -> iam.Role:
    """What the keeper works as. Its rights on tables are Lake Formation's; it has none on a bucket."""
    return iam.Role(
        f"{context.name}-keeper",
        name_prefix=KEEPER_ROLE.of(context.settings.prefix),
        description="Brings Iceberg tables to what is declared",
        assume_role_policy=trust("lambda.amazonaws.com"),
        tags=context.settings.tags,
        opts=context.options(),
    )


def function(
    context: Context, role: iam.Role, key: kms.Key
) -> tuple[lambda_.Function, list[pulumi.Resource]]:
    """The function, and what must stand before it is called."""
    name = KEEPER.of(context.settings.prefix)
    group = log_group(
        f"{context.name}-keeper",
        KEEPER_LOGS.of(context.settings.prefix),
        _LOG_DAYS,
        key,
        context.settings.tags,
        context.options(),
    )
    rights = iam.RolePolicy(
        f"{context.name}-keeper",
        name="keeper",
        role=role.name,
        policy=document(*_rights(context)),
        opts=context.options(),
    )
    made = lambda_.Function(
        f"{context.name}-keeper",
        name=name,
        description="Brings Iceberg tables to what is declared, by Iceberg's own steps",
        role=role.arn,
        runtime=RUNTIME,
        architectures=["arm64"],
        handler=_HANDLER,
        code=code(),
        timeout=_TIMEOUT,
        memory_size=256,
        logging_config=lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=group.name),
        tags=context.tags("table-keeper"),
        # Its name is known to those who look for its logs.
        opts=context.options(rights, delete_before_replace=True),
    )
    return made, [rights, group]


def code() -> AssetArchive:
    """The function's code: the folder `table_keeper` as it is installed here."""
    folder = resources.files(table_keeper)
    return AssetArchive(
        {
            f"table_keeper/{each.name}": StringAsset(each.read_text(encoding="utf-8"))
            for each in sorted(folder.iterdir(), key=lambda each: each.name)
            if each.name.endswith(".py")
        }
    )


def _rights(context: Context) -> list[Statement]:
    group = context.place.arn("logs", f"log-group:{KEEPER_LOGS.of(context.settings.prefix)}:*")
    return [
        allow(
            [
                "glue:GetCatalog",
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetIcebergTableMetadata",
                "glue:UpdateTable",
            ],
            context.catalog_arns,
            sid="Tables",
        ),
        allow(
            ["glue:CreateDatabase"],
            [
                context.place.arn("glue", "catalog"),
                context.place.arn("glue", f"database/{DEFAULT_DATABASE}"),
            ],
            sid="DefaultDatabase",
        ),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], group, sid="WriteLogs"),
        GET_DATA_ACCESS,
    ]


def default_database(
    context: Context, keeper: lambda_.Function, role: iam.Role, after: Sequence[pulumi.Resource]
) -> lambda_.Invocation:
    """A call that creates the account's `default` database where there is none. It is not a resource of this
    program: others use it too, and it stays when the lakehouse is destroyed."""
    may_create = lakeformation.Permissions(
        f"{context.name}-keeper-catalog",
        principal=role.arn,
        permissions=["CREATE_DATABASE"],
        catalog_resource=True,
        opts=context.options(*after),
    )
    return lambda_.Invocation(
        f"{context.name}-default",
        function_name=keeper.name,
        input=json.dumps({"create_database": DEFAULT_DATABASE}),
        opts=context.options(may_create),
    )


def kept(
    context: Context,
    keeper: lambda_.Function,
    tables: Mapping[str, Entry],
    after: Sequence[pulumi.Resource],
) -> dict[str, lambda_.Invocation]:
    """A call for each table, by the table's path. after: what the keeper must be let to do first."""
    return {
        table.path: lambda_.Invocation(
            f"{context.name}-{table.zone}-{table.name}",
            function_name=keeper.name,
            input=pulumi.Output.all(tables[table.path].database_name, tables[table.path].name).apply(
                lambda names, table=table: json.dumps(
                    {
                        "warehouse": context.warehouse,
                        "database": names[0],
                        "table": names[1],
                        **declaration(context.settings, table),
                    },
                    sort_keys=True,
                )
            ),
            opts=context.options(tables[table.path].made, *after),
        )
        for table in context.settings.tables
    }

"""Lake Formation: who administers, what it governs, and the tags that grants go by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import iam, lakeformation

from aiplatform.lakehouse.aws.buckets import Bucket
from aiplatform.lakehouse.aws.catalog_entries import Database, Entry
from aiplatform.lakehouse.aws.context import TABLES, Context
from aiplatform.lakehouse.aws.names import CLASSIFICATION_TAG, ZONE_TAG
from aiplatform.lakehouse.tables import CLASSIFICATIONS, ZONES, TableSettings, Zone

CHANGES_ROWS: Final = ("ALTER", "DELETE", "DESCRIBE", "INSERT")
"""Rights of whoever writes. ALTER, as each commit to an Iceberg table updates it in the catalog."""


@dataclass(frozen=True)
class Tags:
    """The keys of LF-tags."""

    zone: lakeformation.LfTag
    classification: lakeformation.LfTag


def settings(context: Context) -> list[pulumi.Resource]:
    """The account's settings in this region: its administrators, and that IAM alone decides on nothing new.

    Defaults for new databases and tables are left out, which clears them: they would give everything to
    IAM_ALLOWED_PRINCIPALS, and Lake Formation would be asked for nothing.
    """
    if not context.settings.account_settings:
        return []
    return [
        lakeformation.DataLakeSettings(
            f"{context.name}-settings",
            admins=[context.deployer_arn, *context.settings.admins],
            # Iceberg clients get credentials for a table where they may read all of it; where a filter
            # stands before it, they are refused (Lake Formation developer guide, "Application integration
            # for full table access").
            allow_full_table_external_data_access=True,
            # Both are always read back; what is left out, the provider resets.
            parameters={"CROSS_ACCOUNT_VERSION": "4", "SET_CONTEXT": "TRUE"},
            opts=context.options(),
        )
    ]


def locations(
    context: Context,
    buckets: Mapping[Zone, Bucket],
    role: iam.Role,
    after: Sequence[pulumi.Resource],
) -> dict[Zone, lakeformation.Resource]:
    """The folders of tables as locations that Lake Formation governs, by a role of their own: its
    service-linked role could not use the key."""
    return {
        zone: lakeformation.Resource(
            f"{context.name}-{zone}",
            arn=bucket.bucket.arn.apply(lambda arn: f"{arn}/{TABLES}"),
            role_arn=role.arn,
            hybrid_access_enabled=False,
            opts=context.options(*after, *bucket.ready),
        )
        for zone, bucket in buckets.items()
    }


def tags(context: Context, after: Sequence[pulumi.Resource]) -> Tags:
    """LF-tags: the zone of a database, the classification of tables and columns."""
    return Tags(
        zone=lakeformation.LfTag(
            f"{context.name}-zone",
            key=ZONE_TAG.of(context.settings.prefix),
            values=list(ZONES),
            opts=context.options(*after),
        ),
        classification=lakeformation.LfTag(
            f"{context.name}-classification",
            key=CLASSIFICATION_TAG.of(context.settings.prefix),
            values=list(CLASSIFICATIONS),
            opts=context.options(*after),
        ),
    )


def tagged(
    context: Context,
    keys: Tags,
    databases: Mapping[Zone, Database],
    tables: Mapping[str, Entry],
    kept: Mapping[str, pulumi.Resource],
) -> None:
    """Tags on what they are about. A table has the highest classification of its columns, which a column
    inherits that Iceberg adds later; columns below it have their own. kept: what has brought each table to
    its declaration, so that all columns are there.

    Tags that change are taken away first: the other way round, taking the old ones away would take what was
    just said of the columns that stay. In between a column has its table's, the highest.
    """
    for zone, database in databases.items():
        lakeformation.ResourceLfTags(
            f"{context.name}-{zone}",
            database=lakeformation.ResourceLfTagsDatabaseArgs(name=database.name),
            lf_tags=[lakeformation.ResourceLfTagsLfTagArgs(key=keys.zone.key, value=zone)],
            opts=context.options(delete_before_replace=True),
        )
    for table in context.settings.tables:
        _tagged_table(context, keys, table, tables[table.path], kept[table.path])


def _tagged_table(
    context: Context, keys: Tags, table: TableSettings, made: Entry, kept: pulumi.Resource
) -> None:
    name = f"{context.name}-{table.zone}-{table.name}"
    whole = lakeformation.ResourceLfTags(
        name,
        table=lakeformation.ResourceLfTagsTableArgs(database_name=made.database_name, name=made.name),
        lf_tags=[
            lakeformation.ResourceLfTagsLfTagArgs(key=keys.classification.key, value=table.classification)
        ],
        opts=context.options(kept, delete_before_replace=True),
    )
    for classification in CLASSIFICATIONS:
        columns = table.columns_of([classification])
        if columns and classification != table.classification:
            lakeformation.ResourceLfTags(
                f"{name}-{classification}",
                table_with_columns=lakeformation.ResourceLfTagsTableWithColumnsArgs(
                    database_name=made.database_name, name=made.name, column_names=columns
                ),
                lf_tags=[
                    lakeformation.ResourceLfTagsLfTagArgs(key=keys.classification.key, value=classification)
                ],
                # Both change the tags of one table.
                opts=context.options(whole, delete_before_replace=True),
            )


def let_platform_work(
    context: Context,
    databases: Mapping[Zone, Database],
    locations: Mapping[Zone, lakeformation.Resource],
    roles: Mapping[str, iam.Role],
) -> list[pulumi.Resource]:
    """Lake Formation's leave for the platform's own roles, on every table of the zones, those that come later
    included. roles: by what they do, `writer` and `optimizer`."""
    rights = sorted((*CHANGES_ROWS, "SELECT"))
    return [
        made
        for purpose, role in roles.items()
        for zone in ZONES
        for made in _let_work(context, purpose, role, rights, databases, locations, zone)
    ]


def let_keep(
    context: Context,
    databases: Mapping[Zone, Database],
    locations: Mapping[Zone, lakeformation.Resource],
    role: iam.Role,
) -> list[pulumi.Resource]:
    """Lake Formation's leave for the table keeper: what tables are, and not what is in them."""
    return [
        made
        for zone in ZONES
        for made in _let_work(context, "keeper", role, ["ALTER", "DESCRIBE"], databases, locations, zone)
    ]


def _let_work(
    context: Context,
    purpose: str,
    role: iam.Role,
    rights: Sequence[str],
    databases: Mapping[Zone, Database],
    locations: Mapping[Zone, lakeformation.Resource],
    zone: Zone,
) -> list[pulumi.Resource]:
    database, name = databases[zone].name, f"{context.name}-{purpose}-{zone}"
    return [
        lakeformation.Permissions(
            f"{name}-database",
            principal=role.arn,
            permissions=["DESCRIBE"],
            database=lakeformation.PermissionsDatabaseArgs(catalog_id=context.catalog_id, name=database),
            opts=context.options(),
        ),
        lakeformation.Permissions(
            f"{name}-tables",
            principal=role.arn,
            permissions=list(rights),
            table=lakeformation.PermissionsTableArgs(
                catalog_id=context.catalog_id, database_name=database, wildcard=True
            ),
            opts=context.options(delete_before_replace=True),
        ),
        # What is in a table bucket has no location of its own.
        *([_let_reach(context, f"{name}-location", role, locations[zone])] if zone in locations else []),
    ]


def place_of_table(
    context: Context,
    name: str,
    principal: pulumi.Input[str],
    table: TableSettings,
    locations: Mapping[Zone, lakeformation.Resource],
    formerly: Sequence[str] = (),
) -> lakeformation.Permissions:
    """Leave for a principal that commits to a table: Iceberg names the table's location with every commit
    (Lake Formation developer guide, "Underlying data access control": "create or alter").

    The table's own folder and no more: with the zone's, a principal with ALTER on one table could point it
    to another one's folder, whose columns would then carry the first one's tags.
    """
    return lakeformation.Permissions(
        name,
        principal=principal,
        permissions=["DATA_LOCATION_ACCESS"],
        data_location=lakeformation.PermissionsDataLocationArgs(
            arn=context.bucket_arn(table.zone, f"/{TABLES}/{table.name}")
        ),
        opts=context.options(locations[table.zone], delete_before_replace=True, formerly=formerly),
    )


def _let_reach(
    context: Context, name: str, role: iam.Role, location: lakeformation.Resource
) -> lakeformation.Permissions:
    return lakeformation.Permissions(
        name,
        principal=role.arn,
        permissions=["DATA_LOCATION_ACCESS"],
        data_location=lakeformation.PermissionsDataLocationArgs(arn=location.arn),
        opts=context.options(),
    )

"""The offline store on AWS: where Feast asks Athena, and where its own tables are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Output
from pulumi_aws import athena, glue, kms, lakeformation

from aiplatform._order import waiting_for
from aiplatform.feature_store.args import WORKGROUP
from aiplatform.feature_store.aws_context import RESULTS, STAGING, Context

CATALOG = "AwsDataCatalog"


@dataclass(frozen=True)
class Offline:
    """What is made."""

    workgroup: athena.Workgroup
    database: glue.CatalogDatabase


def offline(context: Context, key: kms.Key) -> Offline:
    """A workgroup and a database. Not the lakehouse's: Feast reads every result by CREATE TABLE AS with a
    place of its own (`external_location`), which a workgroup that enforces its settings refuses (Athena user
    guide, "Considerations and limitations for CTAS queries"), and nobody makes tables in a zone."""
    zones = [zone.database for zone in context.settings.lakehouse.zones]
    workgroup = athena.Workgroup(
        f"{context.name}-workgroup",
        name=WORKGROUP.of(context.settings.prefix),
        description=f"Queries of {context.settings.prefix}'s feature store",
        configuration=athena.WorkgroupConfigurationArgs(
            enforce_workgroup_configuration=False,
            bytes_scanned_cutoff_per_query=context.settings.query_cutoff_bytes,
            publish_cloudwatch_metrics_enabled=True,
            requester_pays_enabled=False,
            engine_version=athena.WorkgroupConfigurationEngineVersionArgs(
                selected_engine_version="Athena engine version 3"
            ),
            result_configuration=athena.WorkgroupConfigurationResultConfigurationArgs(
                output_location=f"s3://{context.bucket(STAGING)}/{RESULTS}/",
                expected_bucket_owner=context.place.account_id,
                encryption_configuration=athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
                    encryption_option="SSE_KMS", kms_key_arn=key.arn
                ),
            ),
        ),
        # Saved queries are no data: they do not keep an environment from being destroyed.
        force_destroy=True,
        tags=context.tags("features"),
        opts=context.options(delete_before_replace=True),
    )
    database = glue.CatalogDatabase(
        f"{context.name}-database",
        name=context.database,
        description=f"Temporary tables of {context.settings.prefix}'s feature store",
        location_uri=f"s3://{context.bucket(STAGING)}/tables",
        tags=context.tags("features"),
        opts=pulumi.ResourceOptions.merge(
            context.options(delete_before_replace=True),
            # Not before Lake Formation governs new databases, and the deployer may grant: the lakehouse's
            # databases come after both.
            pulumi.ResourceOptions(depends_on=waiting_for(Output.all(*zones))),
        ),
    )
    return Offline(workgroup, database)


def may_make_tables(
    context: Context, who: str, principal: pulumi.Input[str], database: glue.CatalogDatabase
) -> lakeformation.Permissions:
    """Let a principal make tables there. Whoever makes one has all rights on it, and nobody else has."""
    return lakeformation.Permissions(
        f"{context.name}-{who}-tables",
        principal=principal,
        permissions=["CREATE_TABLE", "DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(name=database.name),
        opts=context.options(),
    )


def config(context: Context) -> Mapping[str, Any]:
    """Feast's block `offline_store`. The bucket without a path: Feast clears entity frames at its root."""
    return {
        "type": "athena",
        "region": context.place.region,
        "data_source": CATALOG,
        "database": context.database,
        "workgroup": WORKGROUP.of(context.settings.prefix),
        "s3_staging_location": f"s3://{context.bucket(STAGING)}",
    }

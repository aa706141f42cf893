"""The offline store on AWS: Athena's workgroups, and the database of Feast's temporary tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Output
from pulumi_aws import athena, glue, lakeformation

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.dependencies import dependencies_of
from aiplatform.feature_store.aws.context import RESULTS, Context, Staging
from aiplatform.lakehouse.tables import ZONES

CATALOG = "AwsDataCatalog"


def create_workgroup(staging: Staging, key: Key, depends_on: Sequence[pulumi.Resource]) -> athena.Workgroup:
    """Create the workgroup of one principal: all principals of a workgroup fetch the results of its queries
    (Athena user guide, "Considerations and limitations for querying data registered with Lake Formation").
    depends_on: its bucket, which Athena verifies.

    Not the lakehouse's: Feast reads every result by CREATE TABLE AS with a location (`external_location`),
    which a workgroup that enforces its settings refuses (Athena user guide, "Considerations and limitations
    for CTAS queries"), and no principal creates tables in a zone."""
    context = staging.context
    return athena.Workgroup(
        f"{staging.name}-{staging.logical}",
        name=context.workgroup(staging.physical),
        description=f"Queries of {context.settings.prefix}'s feature store, {staging.physical}",
        configuration=athena.WorkgroupConfigurationArgs(
            enforce_workgroup_configuration=False,
            bytes_scanned_cutoff_per_query=context.settings.query_cutoff_bytes,
            publish_cloudwatch_metrics_enabled=True,
            requester_pays_enabled=False,
            engine_version=athena.WorkgroupConfigurationEngineVersionArgs(
                selected_engine_version="Athena engine version 3"
            ),
            result_configuration=athena.WorkgroupConfigurationResultConfigurationArgs(
                output_location=f"s3://{staging.bucket()}/{RESULTS}/",
                expected_bucket_owner=context.account.account_id,
                encryption_configuration=athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
                    encryption_option="SSE_KMS", kms_key_arn=key.arn
                ),
            ),
        ),
        # Saved queries are no data: they do not prevent the destruction of an environment.
        force_destroy=True,
        tags=staging.tags(f"features-{staging.physical}"),
        opts=staging.options(*depends_on, delete_before_replace=True),
    )


def create_database(context: Context, location: str) -> glue.CatalogDatabase:
    """Create the database of Feast's temporary tables. Each is visible to the principal that created it, and
    its files are in that principal's bucket.

    location: in the schedule's bucket. Feast states a location for every table, so that nothing is stored
    there. Without one the provider leaves the location that the database has, which may be in a bucket that
    was renamed, and whose name any account can take."""
    zones = [context.settings.lakehouse.zone(name).database for name in ZONES]
    return glue.CatalogDatabase(
        f"{context.name}-database",
        name=context.database,
        description=f"Temporary tables of {context.settings.prefix}'s feature store",
        location_uri=location,
        tags=context.tags("features"),
        opts=pulumi.ResourceOptions.merge(
            context.options(delete_before_replace=True),
            # After Lake Formation governs new databases and the deployer may grant permissions: the
            # lakehouse's databases are created after both.
            pulumi.ResourceOptions(depends_on=dependencies_of(Output.all(*zones))),
        ),
    )


def allow_creating_tables(
    staging: Staging, database: glue.CatalogDatabase, former_names: Sequence[str]
) -> lakeformation.Permissions:
    """Allow a principal to create tables there. The creator of a table has all permissions on it; others have
    none.

    former_names: logical names that it had. Under a new one it would be granted again before the old one is
    revoked, and both are one permission for Lake Formation."""
    return lakeformation.Permissions(
        f"{staging.name}-{staging.logical}-tables",
        principal=staging.principal,
        permissions=["CREATE_TABLE", "DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(name=database.name),
        opts=staging.context.options(delete_before_replace=True, former_names=former_names),
    )


def config(staging: Staging) -> Mapping[str, Any]:
    """Return Feast's block `offline_store`. The bucket without a path: Feast clears entity frames at its
    root."""
    return {
        "type": "athena",
        "region": staging.account.region,
        "data_source": CATALOG,
        "database": staging.context.database,
        "workgroup": staging.context.workgroup(staging.physical),
        "s3_staging_location": f"s3://{staging.bucket()}",
    }

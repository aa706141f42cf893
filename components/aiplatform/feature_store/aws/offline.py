"""The offline store on AWS: where Feast asks Athena, and where its own tables are."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Output
from pulumi_aws import athena, glue, kms, lakeformation

from aiplatform._shared.dependencies import waiting_for
from aiplatform.feature_store.aws.context import RESULTS, Context, Staging
from aiplatform.lakehouse.tables import ZONES

CATALOG = "AwsDataCatalog"


def workgroup(made: Staging, key: kms.Key, after: Sequence[pulumi.Resource]) -> athena.Workgroup:
    """The workgroup of one principal: all principals of a workgroup fetch the results of its queries (Athena
    user guide, "Considerations and limitations for querying data registered with Lake Formation"). after: its
    bucket, which Athena verifies.

    Not the lakehouse's: Feast reads every result by CREATE TABLE AS with a place of its own
    (`external_location`), which a workgroup that enforces its settings refuses (Athena user guide,
    "Considerations and limitations for CTAS queries"), and nobody makes tables in a zone."""
    context = made.context
    return athena.Workgroup(
        f"{made.name}-{made.logical}",
        name=context.workgroup(made.who),
        description=f"Queries of {context.settings.prefix}'s feature store, {made.who}",
        configuration=athena.WorkgroupConfigurationArgs(
            enforce_workgroup_configuration=False,
            bytes_scanned_cutoff_per_query=context.settings.query_cutoff_bytes,
            publish_cloudwatch_metrics_enabled=True,
            requester_pays_enabled=False,
            engine_version=athena.WorkgroupConfigurationEngineVersionArgs(
                selected_engine_version="Athena engine version 3"
            ),
            result_configuration=athena.WorkgroupConfigurationResultConfigurationArgs(
                output_location=f"s3://{made.bucket()}/{RESULTS}/",
                expected_bucket_owner=context.place.account_id,
                encryption_configuration=athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
                    encryption_option="SSE_KMS", kms_key_arn=key.arn
                ),
            ),
        ),
        # Saved queries are no data: they do not keep an environment from being destroyed.
        force_destroy=True,
        tags=made.tags(f"features-{made.who}"),
        opts=made.options(*after, delete_before_replace=True),
    )


def database(context: Context, location: str) -> glue.CatalogDatabase:
    """The database of Feast's own tables. Each is visible to the principal that made it, and its files are in
    that principal's bucket.

    location: in the schedule's bucket. Feast names a place of its own for every table, so that nothing comes
    there. Without one the provider leaves the location that the database has, which may be in a bucket that
    was renamed, and whose name is free for any account."""
    zones = [context.settings.lakehouse.zone(name).database for name in ZONES]
    return glue.CatalogDatabase(
        f"{context.name}-database",
        name=context.database,
        description=f"Temporary tables of {context.settings.prefix}'s feature store",
        location_uri=location,
        tags=context.tags("features"),
        opts=pulumi.ResourceOptions.merge(
            context.options(delete_before_replace=True),
            # Not before Lake Formation governs new databases, and the deployer may grant: the lakehouse's
            # databases come after both.
            pulumi.ResourceOptions(depends_on=waiting_for(Output.all(*zones))),
        ),
    )


def may_make_tables(
    made: Staging, database: glue.CatalogDatabase, formerly: Sequence[str]
) -> lakeformation.Permissions:
    """Let a principal make tables there. Whoever makes one has all rights on it, and nobody else has.

    formerly: logical names that it had. Under a new one it would be granted again before the old one is
    revoked, and Lake Formation knows one grant of both."""
    return lakeformation.Permissions(
        f"{made.name}-{made.logical}-tables",
        principal=made.principal,
        permissions=["CREATE_TABLE", "DESCRIBE"],
        database=lakeformation.PermissionsDatabaseArgs(name=database.name),
        opts=made.context.options(delete_before_replace=True, formerly=formerly),
    )


def config(made: Staging) -> Mapping[str, Any]:
    """Feast's block `offline_store`. The bucket without a path: Feast clears entity frames at its root."""
    return {
        "type": "athena",
        "region": made.place.region,
        "data_source": CATALOG,
        "database": made.context.database,
        "workgroup": made.context.workgroup(made.who),
        "s3_staging_location": f"s3://{made.bucket()}",
    }

"""What the lakehouse is on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "": On(
        aws="S3 buckets, Iceberg tables in the Glue Data Catalog, Lake Formation, an Athena workgroup",
        gcp=refused("it is not built there yet; make one on AWS"),
    ),
    "store": On(
        aws="the zones' buckets and the account's own catalog, or S3 Tables and `s3tablescatalog`",
        gcp=refused("tables are in the zones' buckets; leave it out"),
    ),
    "streams": On(
        aws="Firehose streams (Direct PUT) that append to an Iceberg table; errors under `files/errors/`",
        gcp=refused("it is not built there yet"),
    ),
    "captures": On(
        aws="serverless replications of DMS into raw: Parquet files under `files/captures/`",
        gcp=refused("it is not built there yet"),
    ),
    "batches": On(
        aws="Glue jobs for Spark with Iceberg, as the writer role, and their triggers",
        gcp=refused("it is not built there yet"),
    ),
    "snapshots": On(
        aws="Iceberg tags and branches, made by the table keeper (a Lambda function)",
        gcp=refused("it is not built there yet"),
    ),
    "network": On(
        aws="subnets and a security group of the replications",
        gcp=refused("it is not built there yet"),
    ),
    "tables.quality": On(
        aws="a ruleset of Glue Data Quality, evaluated on a schedule and before a batch's rows are published",
        gcp=refused("it is not built there yet"),
    ),
    "tables.quality.dqdl": On(
        aws="rules in Glue's Data Quality Definition Language",
        gcp=refused("it is the language of AWS Glue; say it by `rules`"),
    ),
    "quality_targets": On(
        aws="targets of an EventBridge rule for evaluations that failed",
        gcp=refused("it is not built there yet"),
    ),
}

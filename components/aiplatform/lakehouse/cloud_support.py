"""What the lakehouse's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="S3 buckets, Iceberg tables in the Glue Data Catalog, Lake Formation, an Athena workgroup "
        "for each role that grants name",
        gcp="Cloud Storage buckets, Iceberg tables in a BigLake catalog with its REST endpoint, policies of "
        "columns and rows by BigQuery, datasets",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cloud": CloudSupport(aws="the default", gcp="required: `gcp`"),
    "project": CloudSupport(
        aws=refused("the provider's credentials determine the account; leave it out"),
        gcp="the project of all resources",
    ),
    "region": CloudSupport(
        aws=refused("the provider determines the region; leave it out"),
        gcp="the region of buckets, catalog, datasets, keys and logs",
    ),
    "writers": CloudSupport(
        aws="IAM roles that may assume the writer role",
        gcp="service accounts and groups with a role on the whole catalog, the datasets and `files/` of each "
        "bucket; none on the tables' files, for which the catalog issues credentials",
    ),
    "zones": CloudSupport(
        aws="lifecycle rules of the buckets, retention of the table optimizers",
        gcp="lifecycle rules of the buckets; `snapshot_days` as a property of tables, which clients apply "
        "that expire snapshots, and time travel of the datasets (2 to 7 days)",
    ),
    "store": CloudSupport(
        aws="the zones' buckets and the account's default catalog, or S3 Tables and `s3tablescatalog`",
        gcp=refused("tables are in the zones' buckets; leave it out"),
    ),
    "tables": CloudSupport(
        aws="Iceberg tables in Glue",
        gcp="Iceberg tables in the catalog, with types without parts; those of `streams` are written by "
        "BigQuery. A column that is declared later is added by BigQuery; other changes of a "
        "declaration have no effect",
    ),
    "tables.sort_order": CloudSupport(
        aws="the table's write order",
        gcp="the table's write order; for the table of a stream, BigQuery's clustering",
    ),
    "tables.columns.was": CloudSupport(
        aws="a rename by Iceberg",
        gcp=refused("BigQuery renames no columns of these tables; rename it with an Iceberg client"),
    ),
    "tables.columns.classification": CloudSupport(
        aws="an LF-tag; columns with other tags are not visible",
        gcp="data policies of columns that are `internal` or `pii`: other readers of the table see null "
        "there; `public` columns are visible to all readers",
    ),
    "tables.quality": CloudSupport(
        aws="a ruleset of Glue Data Quality, evaluated on a schedule and before a batch's rows are published",
        gcp="a data scan of Knowledge Catalog (Dataplex), on a schedule or on demand",
    ),
    "tables.quality.dqdl": CloudSupport(
        aws="rules in Glue's Data Quality Definition Language",
        gcp=refused("it is the language of AWS Glue; use `rules`"),
    ),
    "streams": CloudSupport(
        aws="Firehose streams (Direct PUT) that append to an Iceberg table; errors under `files/errors/`",
        gcp="Pub/Sub topics whose messages a BigQuery subscription appends to an Iceberg table that BigQuery "
        "manages, in a bucket and a dataset only for such tables; messages that fail five times are written "
        "under `files/errors/`",
    ),
    "streams.buffer_seconds": CloudSupport(
        aws="Firehose's buffering interval",
        gcp=refused("BigQuery commits by itself, within seconds; leave it out"),
    ),
    "streams.buffer_mib": CloudSupport(
        aws="Firehose's buffering size",
        gcp=refused("BigQuery commits by itself, within seconds; leave it out"),
    ),
    "captures": CloudSupport(
        aws="serverless replications of DMS into raw: Parquet files under `files/captures/`",
        gcp=refused(
            "Datastream requires the database's password in its connection profile, and so in the state; "
            "create it outside of this component, and allow it to write under `files/captures/` of raw"
        ),
    ),
    "batches": CloudSupport(
        aws="Glue jobs for Spark with Iceberg, as the writer role, and their triggers",
        gcp="batches of Serverless for Apache Spark (Dataproc), with a dedicated service account, and jobs "
        "of Cloud Scheduler that start them; without a schedule paused, and started by `gcloud scheduler "
        "jobs run`",
    ),
    "batches.retries": CloudSupport(
        aws="the job's own retries",
        gcp=refused("a batch is not repeated automatically; leave it out, its schedule starts it again"),
    ),
    "batches.publishes": CloudSupport(
        aws="a branch that is published once its rules pass",
        gcp=refused("scans read only a table's newest state; leave it out, and check the rows in the batch"),
    ),
    "snapshots": CloudSupport(
        aws="Iceberg tags and branches, created by the table keeper (a Lambda function)",
        gcp=refused(
            "neither the provider nor BigQuery creates Iceberg's tags; create one with PyIceberg or Spark"
        ),
    ),
    "network": CloudSupport(
        aws="subnets and a security group of the replications",
        gcp="the subnet that batches run in",
    ),
    "grants": CloudSupport(
        aws="Lake Formation grants by tags or on tables",
        gcp="roles on tables, once these have their policies, and members of the policies of their "
        "columns and rows",
    ),
    "grants.zones": CloudSupport(
        aws="every table of the zones, by LF-tags",
        gcp="each declared table of the zones, later ones as they are declared; `write` on those of which "
        "every column is granted",
    ),
    "grants.rows": CloudSupport(
        aws="a data cells filter, which Athena applies",
        gcp="a row access policy, which BigQuery applies; without subqueries, at most 16 different ones on a "
        "table, and not on the table of a stream",
    ),
    "grants.billing": CloudSupport(
        aws="the table and the views of `billing_export`, in Lake Formation",
        gcp="the dataset with the views of `billing_export`",
    ),
    "billing_export": CloudSupport(
        aws="an export of CUR 2.0 to a bucket, a table of Glue, and views of Athena",
        gcp="a dataset that is linked to the billing account by hand, and views of BigQuery",
    ),
    "billing_export.granularity": CloudSupport(
        aws="the rows of the export",
        gcp=refused("Cloud Billing exports rows as it gets them; leave it out"),
    ),
    "billing_export.days": CloudSupport(
        aws="a lifecycle rule of the bucket",
        gcp=refused("the table is Cloud Billing's; leave it out"),
    ),
    "billing_export.billing_account": CloudSupport(
        aws=refused("the export is that of the account; leave it out"),
        gcp="whose export the dataset gets",
    ),
    "billing_export.linked": CloudSupport(
        aws=refused("the program creates the export; leave it out"),
        gcp="whether the views are created",
    ),
    "legal_hold": CloudSupport(
        aws="Object Lock of raw's bucket",
        gcp="a retention policy of raw's bucket, locked with `compliance`; it has no versions then. Not "
        "for the tables of streams: BigQuery supports no retention policy under tables that it manages",
    ),
    "query_cutoff_bytes": CloudSupport(
        aws="the limit of a query in each workgroup",
        gcp="the project's quota of what the queries of one principal scan in a day",
    ),
    "access_log_bucket": CloudSupport(
        aws="a bucket of S3 that exists",
        gcp=refused("access logs are in a log bucket of Cloud Logging; leave it out"),
    ),
    "access_log_days": CloudSupport(
        aws="server access logs in a dedicated bucket",
        gcp="data access logs in a dedicated, encrypted log bucket",
    ),
    "arrival_events": CloudSupport(
        aws="events of raw's bucket to EventBridge",
        gcp="a Pub/Sub topic with messages for objects under `files/` of raw",
    ),
    "table_events": CloudSupport(
        aws="events of the zones' buckets to EventBridge",
        gcp=refused("notifications of Cloud Storage belong to their topics; leave it out"),
    ),
    "arrival_targets": CloudSupport(
        aws="targets of an EventBridge rule",
        gcp="a subscription for each service account or group",
    ),
    "file_readers": CloudSupport(
        aws="exceptions in the policy of raw's bucket",
        gcp=refused("a role on the bucket suffices, which a function gets by its `reads`; leave it out"),
    ),
    "quality_targets": CloudSupport(
        aws="targets of an EventBridge rule for evaluations that failed",
        gcp="a subscription for each service account or group",
    ),
    "admins": CloudSupport(
        aws="further data lake administrators",
        gcp="other principals that apply the program: they see all of every table, as the provider reads "
        "tables with a request for credentials, which the catalog refuses to principals that see less",
    ),
    "account_settings": CloudSupport(
        aws="the data lake settings of the account and region",
        gcp="data access logs of Cloud Storage and BigLake and the quota of queries, for the whole project",
    ),
    "protect": CloudSupport(aws="protected in Pulumi's state", gcp="protected in Pulumi's state"),
    "retain_data": CloudSupport(
        aws="buckets, key, databases and tables stay",
        gcp="buckets, key, catalog, tables, datasets and log bucket stay",
    ),
    "force_destroy": CloudSupport(
        aws="buckets are emptied first", gcp="buckets and datasets are emptied first"
    ),
    "perimeter": CloudSupport(
        aws=refused("AWS has no perimeter of a project; leave it out"),
        gcp="a service perimeter of VPC Service Controls in the organisation's access policy",
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(
        aws="tags",
        gcp="labels, where a resource has them: lower case, at most 63 characters",
    ),
}

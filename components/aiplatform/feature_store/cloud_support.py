"""What the feature store's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Feast with a registry in S3, an offline store on Athena and an online store in DynamoDB or "
        "Valkey",
        gcp="Feast with a registry in Cloud Storage, an offline store on BigQuery and an online store in "
        "Firestore (Datastore mode) or Bigtable",
    ),
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "project": CloudSupport(
        aws="Feast's project, part of the tables' names", gcp="Feast's project, part of the keys"
    ),
    "cluster": CloudSupport(
        aws="the EKS cluster of server and schedule", gcp="the GKE cluster of server and schedule"
    ),
    "lakehouse": CloudSupport(
        aws="the Glue databases that Athena reads", gcp="the project and region whose tables BigQuery reads"
    ),
    "network": CloudSupport(
        aws="the subnets of Valkey's endpoints",
        gcp=refused("Firestore and Bigtable are reached by Private Google Access; leave it out"),
    ),
    "materializer": CloudSupport(
        aws="the role of the schedule's Pods", gcp="the service account of the schedule's Pods"
    ),
    "feature_views": CloudSupport(
        aws="a DynamoDB table each; Valkey needs none",
        gcp="nothing: Firestore has one database, and Feast itself creates its tables in Bigtable",
    ),
    "latency": CloudSupport(
        aws="DynamoDB, or ElastiCache Serverless for Valkey", gcp="Firestore in Datastore mode, or Bigtable"
    ),
    "online_store": CloudSupport(aws="`dynamodb` or `valkey`", gcp="`datastore` or `bigtable`"),
    "consistent_reads": CloudSupport(
        aws="strongly consistent reads of DynamoDB",
        gcp=refused("reads of Firestore and of one cluster of Bigtable always are; leave it out"),
    ),
    "expire_days": CloudSupport(
        aws="the time to live of keys in Valkey",
        gcp=refused(
            "Feast writes no time to live there; the feature views' ttl hides old values, leave it out"
        ),
    ),
    "registry": CloudSupport(
        aws="an object in S3, or a SQL database", gcp="an object in Cloud Storage, or a SQL database"
    ),
    "backup_days": CloudSupport(
        aws="point-in-time recovery of DynamoDB, snapshots of Valkey",
        gcp="daily backups and point-in-time recovery (7 days) of Firestore",
    ),
    "staging_days": CloudSupport(
        aws="the lifecycle of the staging buckets, one for each principal",
        gcp="the lifecycle of the staging buckets, and the expiration of tables in the staging datasets, "
        "one of each for every principal",
    ),
    "query_cutoff_bytes": CloudSupport(
        aws="the cutoff of the Athena workgroups, one for each principal",
        gcp=refused("BigQuery's limits are custom quotas of the project, which the lakehouse sets"),
    ),
    "materialization": CloudSupport(aws="a CronJob", gcp="a CronJob"),
    "server": CloudSupport(
        aws="a Deployment with a Pod Identity", gcp="a Deployment with a workload identity"
    ),
    "appliers": CloudSupport(aws="IAM roles of this account", gcp="service accounts, groups or users"),
    "readers": CloudSupport(aws="IAM roles of this account", gcp="service accounts, groups or users"),
    "image": CloudSupport(aws="the image of all Pods", gcp="the image of all Pods"),
    "mirrors": CloudSupport(aws="the registry that Pods pull from", gcp="the registry that Pods pull from"),
    "protect": CloudSupport(
        aws="Pulumi's protection, and deletion protection of DynamoDB's tables",
        gcp="Pulumi's protection, and that of Firestore and Bigtable against deletion",
    ),
    "retain_data": CloudSupport(aws="stays after a destroy", gcp="stays after a destroy"),
    "force_destroy": CloudSupport(aws="non-empty buckets are emptied", gcp="non-empty buckets are emptied"),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(aws="tags", gcp="labels"),
}

"""What the feature store is on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "": On(
        aws="Feast with a registry in S3, an offline store on Athena and an online store in DynamoDB or "
        "Valkey",
        gcp="Feast with a registry in Cloud Storage, an offline store on BigQuery and an online store in "
        "Firestore (Datastore mode) or Bigtable",
    ),
    "prefix": On(aws="first part of every name", gcp="first part of every name"),
    "project": On(aws="Feast's project, part of the tables' names", gcp="Feast's project, part of the keys"),
    "cluster": On(aws="the EKS cluster of server and schedule", gcp="the GKE cluster of server and schedule"),
    "lakehouse": On(
        aws="the Glue databases that Athena reads", gcp="the project and region whose tables BigQuery reads"
    ),
    "network": On(
        aws="the subnets of Valkey's endpoints",
        gcp=refused("Firestore and Bigtable are reached by Private Google Access; leave it out"),
    ),
    "materializer": On(
        aws="the role of the schedule's Pods", gcp="the service account of the schedule's Pods"
    ),
    "feature_views": On(
        aws="a DynamoDB table each; in Valkey they need none",
        gcp="nothing: Firestore keeps them in one database, and in Bigtable Feast makes its tables itself",
    ),
    "latency": On(
        aws="DynamoDB, or ElastiCache Serverless for Valkey", gcp="Firestore in Datastore mode, or Bigtable"
    ),
    "online_store": On(aws="`dynamodb` or `valkey`", gcp="`datastore` or `bigtable`"),
    "consistent_reads": On(
        aws="strongly consistent reads of DynamoDB",
        gcp=refused("Firestore's reads always are, and one cluster of Bigtable's; leave it out"),
    ),
    "expire_days": On(
        aws="the time to live of keys in Valkey",
        gcp=refused(
            "Feast writes no time to live there; the feature views' own ttl hides old values, leave it out"
        ),
    ),
    "registry": On(
        aws="an object in S3, or a SQL database", gcp="an object in Cloud Storage, or a SQL database"
    ),
    "backup_days": On(
        aws="point-in-time recovery of DynamoDB, snapshots of Valkey",
        gcp="daily backups and point-in-time recovery (7 days) of Firestore",
    ),
    "staging_days": On(
        aws="the lifecycle of the staging buckets, one a principal",
        gcp="the lifecycle of the staging buckets, and how long tables of the staging datasets stay, one of "
        "each a principal",
    ),
    "query_cutoff_bytes": On(
        aws="the cutoff of the Athena workgroups, one a principal",
        gcp=refused("BigQuery's limits are custom quotas of the project, which the lakehouse sets"),
    ),
    "materialization": On(aws="a CronJob", gcp="a CronJob"),
    "server": On(aws="a Deployment with a Pod Identity", gcp="a Deployment with a workload identity"),
    "appliers": On(aws="IAM roles of this account", gcp="service accounts, groups or users"),
    "readers": On(aws="IAM roles of this account", gcp="service accounts, groups or users"),
    "image": On(aws="the image of all Pods", gcp="the image of all Pods"),
    "mirrors": On(aws="where the image is had", gcp="where the image is had"),
    "protect": On(
        aws="Pulumi's protection, and deletion protection of DynamoDB's tables",
        gcp="Pulumi's protection, and that of Firestore and Bigtable against deletion",
    ),
    "retain_data": On(aws="stays after a destroy", gcp="stays after a destroy"),
    "force_destroy": On(aws="non-empty buckets are emptied", gcp="non-empty buckets are emptied"),
    "tags": On(aws="tags", gcp="labels"),
}

"""What a model registry's arguments become on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "prefix": On(aws="first part of every name", gcp="first part of every name"),
    "cluster": On(
        aws="Deployment on EKS; its security group alone reaches the database",
        gcp="Deployment on GKE",
    ),
    "network": On(
        aws="the database's subnets, intra where there are some, else private",
        gcp="the VPC whose private services access gives the database its address",
    ),
    "namespace": On(aws="Kubernetes namespace", gcp="Kubernetes namespace"),
    "hosts": On(aws="MLflow's allowed hosts and origins", gcp="MLflow's allowed hosts and origins"),
    "tls_secret": On(aws="uvicorn's certificate", gcp="uvicorn's certificate"),
    "client_namespaces": On(aws="NetworkPolicy", gcp="NetworkPolicy"),
    "accounts": On(
        aws="MLflow account, password in Secrets Manager", gcp="MLflow account, password in Secret Manager"
    ),
    "accounts.principals": On(
        aws="the secret's resource policy and the key's",
        gcp="roles/secretmanager.secretAccessor on the secret",
    ),
    "guarded_aliases": On(aws="a guard in the server", gcp="a guard in the server"),
    "high_availability": On(
        aws="Multi-AZ, two replicas or more", gcp="availability type REGIONAL, two replicas or more"
    ),
    "replicas": On(aws="replicas of the Deployment", gcp="replicas of the Deployment"),
    "workers": On(aws="uvicorn's processes", gcp="uvicorn's processes"),
    "database": On(aws="RDS for PostgreSQL", gcp="Cloud SQL for PostgreSQL, Enterprise edition"),
    "database.size": On(
        aws="db.t4g.medium, db.m7g.large, db.m7g.xlarge",
        gcp="db-custom-2-4096, db-custom-2-8192, db-custom-4-16384",
    ),
    "database.storage_gib": On(aws="gp3", gcp="PD_SSD"),
    "database.most_storage_gib": On(aws="storage autoscaling", gcp="automatic storage increase"),
    "database.backup_days": On(
        aws="automated backups, any second of them", gcp="one backup a day; logs of up to 7 days"
    ),
    "database.deletion_protection": On(
        aws="RDS refuses to delete the instance", gcp="Cloud SQL refuses to delete the instance"
    ),
    "database.certificates": On(
        aws="what libpq verifies the server by",
        gcp=refused("each instance tells its own authority; leave it out"),
    ),
    "artifacts": On(aws="S3 bucket", gcp="Cloud Storage bucket"),
    "artifacts.deleted_days": On(aws="noncurrent versions", gcp="soft delete and noncurrent versions"),
    "artifacts.access_log_days": On(
        aws="S3 access logs in a bucket of their own", gcp="usage logs in a bucket of their own"
    ),
    "image": On(aws="image of all containers", gcp="image of all containers"),
    "mirrors": On(aws="such as an ECR pull-through cache", gcp="such as a remote repository"),
    "protect": On(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "retain_data": On(
        aws="instance, bucket, key and secrets stay", gcp="instance, bucket, key and secrets stay"
    ),
    "force_destroy": On(
        aws="no last snapshot, bucket emptied, secrets deleted at once",
        gcp="bucket emptied, backups deleted with the instance",
    ),
    "tags": On(aws="tags", gcp="labels"),
}

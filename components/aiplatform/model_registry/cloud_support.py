"""What a model registry's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "cluster": CloudSupport(
        aws="Deployment on EKS; only its security group reaches the database",
        gcp="Deployment on GKE",
    ),
    "network": CloudSupport(
        aws="the database's subnets, intra where there are some, else private",
        gcp="the VPC whose private services access gives the database its address",
    ),
    "namespace": CloudSupport(aws="Kubernetes namespace", gcp="Kubernetes namespace"),
    "hosts": CloudSupport(aws="MLflow's allowed hosts and origins", gcp="MLflow's allowed hosts and origins"),
    "tls_secret": CloudSupport(aws="uvicorn's certificate", gcp="uvicorn's certificate"),
    "client_namespaces": CloudSupport(aws="NetworkPolicy", gcp="NetworkPolicy"),
    "accounts": CloudSupport(
        aws="MLflow account, password in Secrets Manager", gcp="MLflow account, password in Secret Manager"
    ),
    "accounts.principals": CloudSupport(
        aws="the secret's resource policy and the key's",
        gcp="roles/secretmanager.secretAccessor on the secret",
    ),
    "guarded_aliases": CloudSupport(aws="a guard in the server", gcp="a guard in the server"),
    "high_availability": CloudSupport(
        aws="Multi-AZ, two replicas or more", gcp="availability type REGIONAL, two replicas or more"
    ),
    "replicas": CloudSupport(aws="replicas of the Deployment", gcp="replicas of the Deployment"),
    "metrics": CloudSupport(
        aws="a second container of each Pod, for Prometheus",
        gcp="a second container of each Pod, for Prometheus",
    ),
    "workers": CloudSupport(aws="uvicorn's processes", gcp="uvicorn's processes"),
    "database": CloudSupport(aws="RDS for PostgreSQL", gcp="Cloud SQL for PostgreSQL, Enterprise edition"),
    "database.size": CloudSupport(
        aws="db.t4g.small, db.t4g.medium, db.m7g.large, db.m7g.xlarge",
        gcp="db-g1-small, db-custom-2-4096, db-custom-2-8192, db-custom-4-16384",
    ),
    "database.storage_gib": CloudSupport(aws="gp3", gcp="PD_SSD"),
    "database.most_storage_gib": CloudSupport(aws="storage autoscaling", gcp="automatic storage increase"),
    "database.backup_days": CloudSupport(
        aws="automated backups, any second of them", gcp="one backup a day; logs of up to 7 days"
    ),
    "database.deletion_protection": CloudSupport(
        aws="RDS refuses to delete the instance", gcp="Cloud SQL refuses to delete the instance"
    ),
    "database.certificates": CloudSupport(
        aws="what libpq verifies the server's certificate by",
        gcp=refused("each instance has its own authority, which is read from it; leave it out"),
    ),
    "database.existing": CloudSupport(
        aws="an instance of RDS or a cluster of Aurora that exists",
        gcp="an instance of Cloud SQL that exists",
    ),
    "database.existing.host": CloudSupport(
        aws="endpoint of the instance, or writer endpoint of the cluster",
        gcp=refused("the address is read from the instance of connection_name; leave it out"),
    ),
    "database.existing.port": CloudSupport(
        aws="port of the endpoint", gcp=refused("Cloud SQL listens on 5432 alone; leave it out")
    ),
    "database.existing.resource_id": CloudSupport(
        aws="the resource of rds-db:connect", gcp=refused("state connection_name")
    ),
    "database.existing.master_secret": CloudSupport(
        aws="a secret of Secrets Manager that the setup Job reads",
        gcp=refused("the setup Job signs in by IAM, as a member of cloudsqlsuperuser; leave it out"),
    ),
    "database.existing.master_secret_kms_key": CloudSupport(
        aws="kms:Decrypt by Secrets Manager", gcp=refused("there is no secret of a master; leave it out")
    ),
    "database.existing.security_group_id": CloudSupport(
        aws="an ingress rule from the cluster's security group",
        gcp=refused("private services access has no firewall of the network; leave it out"),
    ),
    "database.existing.cidr": CloudSupport(
        aws="egress of the NetworkPolicy",
        gcp=refused("the address is read from the instance of connection_name; leave it out"),
    ),
    "database.existing.connection_name": CloudSupport(
        aws=refused("state host, resource_id and master_secret"), gcp="the instance, which is read"
    ),
    "database.existing.name": CloudSupport(aws="databases and user", gcp="databases"),
    "database.existing.create_databases": CloudSupport(
        aws="CREATE DATABASE by the setup Job", gcp="databases of the API"
    ),
    "database.existing.create_user": CloudSupport(
        aws=refused("the setup Job creates the role where it is missing; leave it out", default=True),
        gcp="the server's user, of the API",
    ),
    "artifacts": CloudSupport(aws="S3 bucket", gcp="Cloud Storage bucket"),
    "artifacts.deleted_days": CloudSupport(
        aws="noncurrent versions", gcp="soft delete and noncurrent versions"
    ),
    "artifacts.access_log_bucket": CloudSupport(
        aws="a bucket of S3 that exists", gcp="a bucket of Cloud Storage that exists"
    ),
    "artifacts.access_log_days": CloudSupport(
        aws="S3 access logs in a dedicated bucket", gcp="usage logs in a dedicated bucket"
    ),
    "image": CloudSupport(aws="image of all containers", gcp="image of all containers"),
    "mirrors": CloudSupport(aws="such as an ECR pull-through cache", gcp="such as a remote repository"),
    "protect": CloudSupport(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "retain_data": CloudSupport(
        aws="instance, bucket, key and secrets stay", gcp="instance, bucket, key and secrets stay"
    ),
    "force_destroy": CloudSupport(
        aws="no last snapshot, bucket emptied, secrets deleted at once",
        gcp="bucket emptied, backups deleted with the instance",
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(aws="tags", gcp="labels"),
}

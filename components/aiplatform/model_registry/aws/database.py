"""The database of a model registry on AWS: RDS for PostgreSQL, reachable only from the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from pulumi import Input, Output
from pulumi_aws import ec2, rds, vpc

from aiplatform._shared.aws.keys import Key
from aiplatform._shared.aws.logs import log_group
from aiplatform.model_registry.args import DATABASE_GROUP, DATABASE_SECURITY, INSTANCE
from aiplatform.model_registry.aws.context import Context
from aiplatform.model_registry.database import Size

PORT: Final = 5432
_USER: Final = "mlflow"
_MASTER: Final = "registry_master"
_AUTHORITY: Final = "rds-ca-rsa2048-g1"
_LOGS: Final = ("postgresql", "upgrade", "iam-db-auth-error")
_LOG_DAYS: Final = 90
_CLASSES: Final[Mapping[Size, str]] = {
    "micro": "db.t4g.small",
    "small": "db.t4g.medium",
    "medium": "db.m7g.large",
    "large": "db.m7g.xlarge",
}


@dataclass(frozen=True)
class DatabaseServer:
    """A server of PostgreSQL, created or existing. resource_id: by which IAM names its users. user: the
    registry's, which signs in by IAM. master_secret: the arn of the master's secret. master_key: the key that
    encrypts it, None for the registry's or AWS's own. addresses: a range that contains its address."""

    host: Input[str]
    port: int
    resource_id: Input[str]
    user: str
    master_secret: Input[str]
    master_key: Input[str] | None
    addresses: Input[str]


def log_groups(context: Context) -> list[str]:
    """Return the log groups of the database that is created (RDS user guide, "Publishing PostgreSQL logs to
    Amazon CloudWatch Logs")."""
    if context.settings.database.existing is not None:
        return []
    return [f"/aws/rds/instance/{INSTANCE.of(context.settings.prefix)}/{log}" for log in _LOGS]


def authority(region: str) -> str | None:
    """Return the certificate of RDS's authority in a region, PEM; None where none is known here (RDS user
    guide, "Using SSL/TLS to encrypt a connection to a DB instance": certificate bundles by region)."""
    bundle = files("aiplatform.model_registry").joinpath("rds_authorities.pem").read_text()
    for entry in bundle.split("# ")[1:]:
        name, _, certificate = entry.partition("\n")
        if name == region:
            return certificate
    return None


def create_server(context: Context, key: Key) -> DatabaseServer:
    """Create the instance, and return it."""
    instance = _instance(context, key)
    return DatabaseServer(
        host=instance.address,
        port=PORT,
        resource_id=instance.resource_id,
        user=_USER,
        master_secret=instance.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or ""),
        master_key=None,
        # A failover changes its address within its subnets.
        addresses=context.settings.network.cidr,
    )


def _instance(context: Context, key: Key) -> rds.Instance:
    """Create the instance. RDS generates, stores and rotates its master's password in Secrets Manager (RDS
    user guide, "Password management with Amazon RDS and AWS Secrets Manager"), so that no state contains
    it."""
    settings, database = context.settings, context.settings.database
    # Created first: RDS itself would create them unencrypted and without an expiry.
    logs = [
        log_group(
            f"{context.name}-{log}-logs",
            group,
            _LOG_DAYS,
            key,
            settings.tags,
            context.options(data=True),
        )
        for log, group in zip(_LOGS, log_groups(context), strict=True)
    ]
    day = database.maintenance_day[:3]
    subnets = _subnet_group(context)
    return rds.Instance(
        f"{context.name}-database",
        identifier=INSTANCE.of(settings.prefix),
        engine="postgres",
        engine_version=database.version,
        auto_minor_version_upgrade=True,
        allow_major_version_upgrade=True,
        instance_class=_CLASSES[database.size],
        storage_type="gp3",
        allocated_storage=database.storage_gib,
        max_allocated_storage=database.most_storage_gib,
        storage_encrypted=True,
        kms_key_id=key.arn,
        username=_MASTER,
        manage_master_user_password=True,
        master_user_secret_kms_key_id=key.arn,
        iam_database_authentication_enabled=True,
        db_subnet_group_name=subnets.name,
        vpc_security_group_ids=[_security_group(context).id],
        publicly_accessible=False,
        port=PORT,
        ca_cert_identifier=_AUTHORITY,
        parameter_group_name=_parameter_group(context).name,
        multi_az=settings.high_availability,
        backup_retention_period=database.backup_days,
        backup_window=f"{database.backup_hour:02}:00-{database.backup_hour:02}:45",
        maintenance_window=f"{day}:{database.maintenance_hour:02}:00-{day}:{database.maintenance_hour:02}:45",
        copy_tags_to_snapshot=True,
        delete_automated_backups=settings.force_destroy,
        skip_final_snapshot=settings.force_destroy,
        final_snapshot_identifier=None if settings.force_destroy else _final_snapshot(context, key, subnets),
        deletion_protection=database.deletion_protection,
        performance_insights_enabled=True,
        performance_insights_kms_key_id=key.arn,
        performance_insights_retention_period=7,
        enabled_cloudwatch_logs_exports=list(_LOGS),
        # With high availability, changes that interrupt it wait for the maintenance window.
        apply_immediately=not settings.high_availability,
        tags=context.tags("mlflow"),
        opts=context.options(*logs, data=True, delete_before_replace=True),
    )


def _final_snapshot(context: Context, key: Key, subnets: rds.SubnetGroup) -> Output[str]:
    """Return the name of the snapshot that is created when the instance is deleted. The snapshot stays, and
    RDS refuses a name that exists (RDS API, DeleteDBInstance: DBSnapshotAlreadyExists). The key's id differs
    each time the registry is created, and another key replaces the instance. Of a key that exists it does
    not: there the provider's suffix of the subnet group's name differs."""
    name = f"{INSTANCE.of(context.settings.prefix)}-final"
    if context.settings.kms_key is None:
        return key.arn.apply(lambda arn: f"{name}-{arn.rpartition('/')[2][:8]}")
    group = DATABASE_GROUP.of(context.settings.prefix)
    return subnets.name.apply(lambda known: f"{name}-{known.removeprefix(group).strip('-')}")


def _subnet_group(context: Context) -> rds.SubnetGroup:
    """Subnets without a route to the internet, where the network has some."""
    network = context.settings.network
    subnets: Output[Any] = Output.all(network.intra_subnet_ids, network.private_subnet_ids).apply(
        lambda known: known[0] or known[1]
    )
    return rds.SubnetGroup(
        f"{context.name}-database",
        name_prefix=DATABASE_GROUP.of(context.settings.prefix),
        description="Database of the model registry",
        subnet_ids=subnets,
        tags=context.tags("mlflow"),
        opts=context.options(data=True),
    )


def _parameter_group(context: Context) -> rds.ParameterGroup:
    return rds.ParameterGroup(
        f"{context.name}-database",
        name_prefix=DATABASE_GROUP.of(context.settings.prefix),
        family=f"postgres{context.settings.database.version}",
        description="Database of the model registry: TLS alone, slow statements in the log",
        parameters=[
            rds.ParameterGroupParameterArgs(name="rds.force_ssl", value="1", apply_method="immediate"),
            rds.ParameterGroupParameterArgs(
                name="log_min_duration_statement", value="1000", apply_method="immediate"
            ),
        ],
        tags=context.tags("mlflow"),
        opts=context.options(data=True),
    )


def _security_group(context: Context) -> ec2.SecurityGroup:
    """Ingress: from the cluster's nodes and Pods. Egress: none."""
    group = ec2.SecurityGroup(
        f"{context.name}-database",
        name_prefix=DATABASE_SECURITY.of(context.settings.prefix),
        description="Database of the model registry",
        vpc_id=context.settings.network.vpc_id,
        tags=context.tags("mlflow-database"),
        opts=context.options(data=True),
    )
    vpc.SecurityGroupIngressRule(
        f"{context.name}-database",
        security_group_id=group.id,
        description="PostgreSQL from the cluster",
        referenced_security_group_id=context.settings.cluster.security_group_id,
        ip_protocol="tcp",
        from_port=PORT,
        to_port=PORT,
        tags=context.tags("mlflow-database"),
        opts=context.options(data=True),
    )
    return group

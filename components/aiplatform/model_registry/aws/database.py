"""The database of a model registry on AWS: RDS for PostgreSQL, which the cluster alone reaches."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from pulumi import Output
from pulumi_aws import ec2, kms, rds, vpc

from aiplatform._shared.aws.logs import log_group
from aiplatform.model_registry.args import DATABASE_GROUP, DATABASE_SECURITY, INSTANCE
from aiplatform.model_registry.aws.context import Context
from aiplatform.model_registry.database import Size

PORT: Final = 5432
USER: Final = "mlflow"
"""The server's own user in the database, which signs in by IAM."""
_MASTER: Final = "registry_master"
_AUTHORITY: Final = "rds-ca-rsa2048-g1"
_LOGS: Final = ("postgresql", "upgrade", "iam-db-auth-error")
_LOG_DAYS: Final = 90
_CLASSES: Final[Mapping[Size, str]] = {
    "small": "db.t4g.medium",
    "medium": "db.m7g.large",
    "large": "db.m7g.xlarge",
}


def log_groups(context: Context) -> list[str]:
    """Where RDS puts the database's logs (RDS user guide, "Publishing PostgreSQL logs to Amazon CloudWatch
    Logs")."""
    return [f"/aws/rds/instance/{INSTANCE.of(context.settings.prefix)}/{log}" for log in _LOGS]


def authority(region: str) -> str | None:
    """The certificate of RDS's authority in a region, PEM; None where none is known here (RDS user guide,
    "Using SSL/TLS to encrypt a connection to a DB instance": certificate bundles by region)."""
    bundle = files("aiplatform.model_registry").joinpath("rds_authorities.pem").read_text()
    for entry in bundle.split("# ")[1:]:
        name, _, certificate = entry.partition("\n")
        if name == region:
            return certificate
    return None


def instance(context: Context, key: kms.Key) -> rds.Instance:
    """The instance. Its master's password is made, kept and rotated by RDS in Secrets Manager (RDS user
    guide, "Password management with Amazon RDS and AWS Secrets Manager"), so that no state has one."""
    settings, database = context.settings, context.settings.database
    # Made first: RDS would make them itself, unencrypted and kept for ever.
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
        db_subnet_group_name=_subnets(context).name,
        vpc_security_group_ids=[_closed(context).id],
        publicly_accessible=False,
        port=PORT,
        ca_cert_identifier=_AUTHORITY,
        parameter_group_name=_parameters(context).name,
        multi_az=settings.high_availability,
        backup_retention_period=database.backup_days,
        backup_window=f"{database.backup_hour:02}:00-{database.backup_hour:02}:45",
        maintenance_window=f"{day}:{database.maintenance_hour:02}:00-{day}:{database.maintenance_hour:02}:45",
        copy_tags_to_snapshot=True,
        delete_automated_backups=settings.force_destroy,
        skip_final_snapshot=settings.force_destroy,
        final_snapshot_identifier=None if settings.force_destroy else _last_snapshot(context, key),
        deletion_protection=database.deletion_protection,
        performance_insights_enabled=True,
        performance_insights_kms_key_id=key.arn,
        performance_insights_retention_period=7,
        enabled_cloudwatch_logs_exports=list(_LOGS),
        # What would interrupt it waits for its window, where it is to stand.
        apply_immediately=not settings.high_availability,
        tags=context.tags("mlflow"),
        opts=context.options(*logs, data=True, delete_before_replace=True),
    )


def _last_snapshot(context: Context, key: kms.Key) -> Output[str]:
    """The name of the snapshot that the instance leaves when it is deleted. A snapshot outlives its instance,
    and RDS refuses a name that is taken (RDS API, DeleteDBInstance: DBSnapshotAlreadyExists). The key's id
    differs in each life of the registry, and an instance with another key is another instance."""
    return key.arn.apply(
        lambda arn: f"{INSTANCE.of(context.settings.prefix)}-final-{arn.rpartition('/')[2][:8]}"
    )


def _subnets(context: Context) -> rds.SubnetGroup:
    """Subnets without a way out, where the network has some."""
    network = context.settings.network
    chosen: Output[Any] = Output.all(network.intra_subnet_ids, network.private_subnet_ids).apply(
        lambda both: both[0] or both[1]
    )
    return rds.SubnetGroup(
        f"{context.name}-database",
        name_prefix=DATABASE_GROUP.of(context.settings.prefix),
        description="Database of the model registry",
        subnet_ids=chosen,
        tags=context.tags("mlflow"),
        opts=context.options(data=True),
    )


def _parameters(context: Context) -> rds.ParameterGroup:
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


def _closed(context: Context) -> ec2.SecurityGroup:
    """In: the cluster's nodes and Pods. Out: nothing."""
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


def master_secret(database: rds.Instance) -> Output[str]:
    """The arn of the secret in which RDS keeps the master's password."""
    return database.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")

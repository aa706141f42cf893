"""The database of a model registry on Google Cloud: Cloud SQL for PostgreSQL with only a private address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import projects, sql

from aiplatform._shared.gcp.context import DataKey
from aiplatform.model_registry.args import SETUP
from aiplatform.model_registry.database import DAYS_OF_WEEK, LOG_DAYS, Size
from aiplatform.model_registry.gcp.context import Context
from aiplatform.model_registry.platform import DATABASES
from aiplatform.workload_identity import WorkloadIdentity

PORT: Final = 5432
_TIERS: Final[Mapping[Size, str]] = {
    "micro": "db-g1-small",
    "small": "db-custom-2-4096",
    "medium": "db-custom-2-8192",
    "large": "db-custom-4-16384",
}
_FINAL_BACKUP_DAYS: Final = 30


@dataclass(frozen=True)
class Instance:
    """An instance of Cloud SQL, created or existing. certificates: those of its authority, PEM."""

    project: Input[str]
    name: Input[str]
    address: Output[str]
    certificates: Output[str]


@dataclass(frozen=True)
class CloudSql:
    """The instance. users: by their service accounts. ready: what users depend on to sign in."""

    instance: Instance
    users: Mapping[str, Input[str]]
    ready: list[pulumi.Resource]


def create_database(context: Context, key: DataKey, identities: Mapping[str, WorkloadIdentity]) -> CloudSql:
    """Create the instance, its databases, and a user for each identity; none has a password ("Cloud SQL IAM
    database authentication")."""
    created = _instance(context, key)
    instance = Instance(context.project, created.name, created.private_ip_address, certificates(created))
    databases = create_databases(context, instance, DATABASES)
    # They own tables, and are deleted with their instance.
    users = {
        account: create_user(context, instance, account, identity, abandoned=True)
        for account, identity in identities.items()
    }
    roles = [allow_sign_in(context, instance, account, identity) for account, identity in identities.items()]
    return CloudSql(
        instance,
        {account: user.name for account, user in users.items()},
        [*databases, *users.values(), *roles],
    )


def create_databases(context: Context, instance: Instance, names: Sequence[str]) -> list[pulumi.Resource]:
    """Create the databases, which a user of Cloud SQL cannot do. They stay in the instance: a created one is
    deleted with them."""
    return [
        sql.Database(
            f"{context.name}-{logical}",
            project=instance.project,
            instance=instance.name,
            name=name,
            deletion_policy="ABANDON",
            opts=context.options(data=True),
        )
        for logical, name in zip(("mlflow", "mlflow-accounts"), names, strict=True)
    ]


def _instance(context: Context, key: DataKey) -> sql.DatabaseInstance:
    settings, database = context.settings, context.settings.database
    grows = database.most_storage_gib > 0
    return sql.DatabaseInstance(
        # Named by Pulumi's autonaming: the name of a deleted instance cannot be used again for a week.
        f"{context.name}-database",
        project=context.project,
        region=context.region,
        database_version=f"POSTGRES_{database.version}",
        encryption_key_name=key.key.id,
        deletion_protection=database.deletion_protection,
        settings=sql.DatabaseInstanceSettingsArgs(
            # From PostgreSQL 16 on the default edition has other machine types.
            edition="ENTERPRISE",
            tier=_TIERS[database.size],
            availability_type="REGIONAL" if settings.high_availability else "ZONAL",
            disk_type="PD_SSD",
            disk_size=database.storage_gib,
            disk_autoresize=grows,
            disk_autoresize_limit=database.most_storage_gib if grows else None,
            deletion_protection_enabled=database.deletion_protection,
            ip_configuration=sql.DatabaseInstanceSettingsIpConfigurationArgs(
                ipv4_enabled=False,
                private_network=settings.network.vpc_id,
                allocated_ip_range=settings.network.private_services,
                ssl_mode="ENCRYPTED_ONLY",
                # An authority of only this instance: its certificate identifies it without a name.
                server_ca_mode="GOOGLE_MANAGED_INTERNAL_CA",
            ),
            backup_configuration=_backups(context),
            maintenance_window=sql.DatabaseInstanceSettingsMaintenanceWindowArgs(
                day=DAYS_OF_WEEK.index(database.maintenance_day) + 1,
                hour=database.maintenance_hour,
                update_track="stable",
            ),
            database_flags=[
                sql.DatabaseInstanceSettingsDatabaseFlagArgs(name=name, value=value)
                for name, value in (
                    ("cloudsql.iam_authentication", "on"),
                    ("log_min_duration_statement", "1000"),
                )
            ],
            insights_config=sql.DatabaseInstanceSettingsInsightsConfigArgs(
                query_insights_enabled=True,
                query_string_length=1024,
                record_application_tags=False,
                record_client_address=False,
            ),
            retain_backups_on_delete=not settings.force_destroy,
            final_backup_config=sql.DatabaseInstanceSettingsFinalBackupConfigArgs(
                enabled=not settings.force_destroy,
                retention_days=None if settings.force_destroy else _FINAL_BACKUP_DAYS,
            ),
            user_labels=context.labels,
        ),
        opts=context.options(
            context.apis["sqladmin"],
            *key.grants,
            data=True,
            # Cloud SQL itself increases the size.
            ignore_changes=["settings.diskSize"] if grows else [],
        ),
    )


def _backups(context: Context) -> sql.DatabaseInstanceSettingsBackupConfigurationArgs:
    database = context.settings.database
    if database.backup_days == 0:
        return sql.DatabaseInstanceSettingsBackupConfigurationArgs(enabled=False)
    return sql.DatabaseInstanceSettingsBackupConfigurationArgs(
        enabled=True,
        location=context.region,
        start_time=f"{database.backup_hour:02}:00",
        point_in_time_recovery_enabled=True,
        transaction_log_retention_days=min(database.backup_days, LOG_DAYS),
        backup_retention_settings=sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
            retained_backups=database.backup_days,
            retention_unit="COUNT",
        ),
    )


def name_of_user(identity: WorkloadIdentity) -> Output[str]:
    """Return the name in the database of a service account. PostgreSQL's names are too short for the whole
    address ("Manage users with IAM database authentication: Create a database user")."""
    return identity.service_account_email.apply(
        lambda email: (email or "").removesuffix(".gserviceaccount.com")
    )


def create_user(
    context: Context, instance: Instance, account: str, identity: WorkloadIdentity, *, abandoned: bool
) -> sql.User:
    """Create a user of the instance for a service account. abandoned: whether it stays in the instance when
    the registry is destroyed, as Cloud SQL deletes no user that owns tables."""
    # After all of the identity: Cloud SQL refuses a user whose service account IAM does not show yet.
    return sql.User(
        f"{context.name}-{account}",
        project=instance.project,
        instance=instance.name,
        name=name_of_user(identity),
        type="CLOUD_IAM_SERVICE_ACCOUNT",
        # It grants the other user its permissions.
        database_roles=["cloudsqlsuperuser"] if account == SETUP else None,
        deletion_policy="ABANDON" if abandoned else None,
        opts=context.options(identity, data=abandoned),
    )


def allow_sign_in(
    context: Context, instance: Instance, account: str, identity: WorkloadIdentity
) -> pulumi.Resource:
    """Allow an identity to sign in to this instance only ("IAM Conditions")."""
    expression = Output.concat(
        'resource.service == "sqladmin.googleapis.com" && resource.name == "projects/',
        instance.project,
        "/instances/",
        instance.name,
        '"',
    )
    return projects.IAMMember(
        f"{context.name}-{account}",
        project=instance.project,
        role="roles/cloudsql.instanceUser",
        member=identity.principal,
        condition=projects.IAMMemberConditionArgs(
            title="database-of-the-model-registry", expression=expression
        ),
        opts=context.options(),
    )


def certificates(instance: sql.DatabaseInstance) -> Output[str]:
    """Return the instance's own authority, PEM. Not secret, although the provider marks it so: every client
    gets it, and the whole ConfigMap would be secret with it."""
    authorities = Output.unsecret(instance.server_ca_certs)
    return authorities.apply(lambda known: "\n".join(authority.cert or "" for authority in known))

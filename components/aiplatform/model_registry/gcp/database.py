"""The database of a model registry on Google Cloud: Cloud SQL for PostgreSQL with a private address alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import projects, sql

from aiplatform.model_registry.args import SETUP
from aiplatform.model_registry.database import DAYS_OF_WEEK, LOG_DAYS, Size
from aiplatform.model_registry.gcp.context import Context
from aiplatform.model_registry.gcp.storage import Key
from aiplatform.model_registry.workloads import ACCOUNTS_DATABASE, DATABASE
from aiplatform.workload_identity import WorkloadIdentity

PORT: Final = 5432
_TIERS: Final[Mapping[Size, str]] = {
    "small": "db-custom-2-4096",
    "medium": "db-custom-2-8192",
    "large": "db-custom-4-16384",
}
_FINAL_BACKUP_DAYS: Final = 30


@dataclass(frozen=True)
class Made:
    """The instance, its users by their service accounts, and what must be there before they sign in."""

    instance: sql.DatabaseInstance
    users: Mapping[str, Output[str]]
    ready: list[pulumi.Resource]


def database(context: Context, key: Key, identities: Mapping[str, WorkloadIdentity]) -> Made:
    """The instance, its databases, and a user for each identity, none of which has a password ("Cloud SQL IAM
    database authentication")."""
    instance = _instance(context, key)
    databases = [
        sql.Database(
            f"{context.name}-{name.replace('_', '-')}",
            project=context.project,
            instance=instance.name,
            name=name,
            # It goes with its instance.
            deletion_policy="ABANDON",
            opts=context.options(data=True),
        )
        for name in (DATABASE, ACCOUNTS_DATABASE)
    ]
    users = {account: _user(context, instance, account, who) for account, who in identities.items()}
    rights = [_may_sign_in(context, instance, account, who) for account, who in identities.items()]
    return Made(
        instance,
        {account: user.name for account, user in users.items()},
        [*databases, *users.values(), *rights],
    )


def _instance(context: Context, key: Key) -> sql.DatabaseInstance:
    settings, asked = context.settings, context.settings.database
    grows = asked.most_storage_gib > 0
    return sql.DatabaseInstance(
        # Its name by Pulumi's autonaming: Cloud SQL keeps that of a deleted one for a week.
        f"{context.name}-database",
        project=context.project,
        region=context.region,
        database_version=f"POSTGRES_{asked.version}",
        encryption_key_name=key.key.id,
        deletion_protection=asked.deletion_protection,
        settings=sql.DatabaseInstanceSettingsArgs(
            # From PostgreSQL 16 on the default is another one, whose machines are others.
            edition="ENTERPRISE",
            tier=_TIERS[asked.size],
            availability_type="REGIONAL" if settings.high_availability else "ZONAL",
            disk_type="PD_SSD",
            disk_size=asked.storage_gib,
            disk_autoresize=grows,
            disk_autoresize_limit=asked.most_storage_gib if grows else None,
            deletion_protection_enabled=asked.deletion_protection,
            ip_configuration=sql.DatabaseInstanceSettingsIpConfigurationArgs(
                ipv4_enabled=False,
                private_network=settings.network.vpc_id,
                allocated_ip_range=settings.network.private_services,
                ssl_mode="ENCRYPTED_ONLY",
                # An authority of this instance alone: its certificate says who it is, without a name.
                server_ca_mode="GOOGLE_MANAGED_INTERNAL_CA",
            ),
            backup_configuration=_backups(context),
            maintenance_window=sql.DatabaseInstanceSettingsMaintenanceWindowArgs(
                day=DAYS_OF_WEEK.index(asked.maintenance_day) + 1,
                hour=asked.maintenance_hour,
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
            *key.users,
            data=True,
            # Growth is Cloud SQL's own.
            ignore_changes=["settings.diskSize"] if grows else [],
        ),
    )


def _backups(context: Context) -> sql.DatabaseInstanceSettingsBackupConfigurationArgs:
    asked = context.settings.database
    if asked.backup_days == 0:
        return sql.DatabaseInstanceSettingsBackupConfigurationArgs(enabled=False)
    return sql.DatabaseInstanceSettingsBackupConfigurationArgs(
        enabled=True,
        location=context.region,
        start_time=f"{asked.backup_hour:02}:00",
        point_in_time_recovery_enabled=True,
        transaction_log_retention_days=min(asked.backup_days, LOG_DAYS),
        backup_retention_settings=sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
            # One a day.
            retained_backups=asked.backup_days,
            retention_unit="COUNT",
        ),
    )


def _user(context: Context, instance: sql.DatabaseInstance, account: str, who: WorkloadIdentity) -> sql.User:
    """A service account as a user of the instance. PostgreSQL's names are too short for the whole address
    ("Manage users with IAM database authentication: Create a database user")."""
    return sql.User(
        f"{context.name}-{account}",
        project=context.project,
        instance=instance.name,
        name=who.service_account_email.apply(
            lambda email: (email or "").removesuffix(".gserviceaccount.com")
        ),
        type="CLOUD_IAM_SERVICE_ACCOUNT",
        # The one that makes rights for the other.
        database_roles=["cloudsqlsuperuser"] if account == SETUP else None,
        # It owns tables, and goes with its instance.
        deletion_policy="ABANDON",
        opts=context.options(data=True),
    )


def _may_sign_in(
    context: Context, instance: sql.DatabaseInstance, account: str, who: WorkloadIdentity
) -> pulumi.Resource:
    """To this instance alone ("IAM Conditions")."""
    expression = instance.name.apply(
        lambda name: (
            f'resource.service == "sqladmin.googleapis.com" && '
            f'resource.name == "projects/{context.project}/instances/{name}"'
        )
    )
    return projects.IAMMember(
        f"{context.name}-{account}",
        project=context.project,
        role="roles/cloudsql.instanceUser",
        member=who.principal,
        condition=projects.IAMMemberConditionArgs(
            title="database-of-the-model-registry", expression=expression
        ),
        opts=context.options(),
    )


def certificates(instance: sql.DatabaseInstance) -> Output[str]:
    """The instance's own authority, PEM. No secret, though the provider calls it one: all who connect see it,
    and a ConfigMap with it would be a secret as a whole."""
    found = Output.unsecret(instance.server_ca_certs)
    return found.apply(lambda authorities: "\n".join(each.cert or "" for each in authorities))

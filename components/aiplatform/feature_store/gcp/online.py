"""The online store on Google Cloud, Firestore in Datastore mode or Bigtable, and roles on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi
from pulumi import Input, Output
from pulumi_gcp import bigtable, firestore, projects

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.keys import Key, grant_key_use
from aiplatform._shared.gcp.names import first_zones
from aiplatform._shared.outputs import mapped
from aiplatform._shared.principals import renamed
from aiplatform.feature_store.args import BIGTABLE, FIRESTORE
from aiplatform.feature_store.gcp.context import Context

Usage = Literal["read", "write", "apply"]
"""How a principal uses the online store: `apply` creates what feature views need."""

_BIGTABLE_APPLIES: Final = (
    "bigtable.instances.get",
    "bigtable.tables.create",
    "bigtable.tables.delete",
    "bigtable.tables.get",
    "bigtable.tables.list",
    "bigtable.tables.mutateRows",
    "bigtable.tables.readRows",
    "bigtable.tables.update",
)
"""What Feast calls to create its tables (feast/infra/online_stores/bigtable.py); every predefined role with
these permissions can also delete the instance."""
_FIRESTORE_ROLES: Final[Mapping[Usage, str]] = {
    "read": "roles/datastore.viewer",
    "write": "roles/datastore.user",
    "apply": "roles/datastore.user",
}
_MOST_NODES: Final = 5
_CPU: Final = 60


@dataclass(frozen=True)
class OnlineStore:
    """The online store. config: Feast's block `online_store`, without its type. apply_role: of appliers, with
    Bigtable."""

    config: Mapping[str, Any]
    resource: pulumi.Resource
    apply_role: projects.IAMCustomRole | None = None


def create_online_store(context: Context, key: Key) -> OnlineStore:
    """Create the store that the settings choose."""
    if context.settings.store == "bigtable":
        return _bigtable(context, key)
    return _firestore(context, key)


def _allow_agent(context: Context, key: Key, service: str) -> Dependency:
    """Allow the service's agent to use the key."""
    identity = context.service_identity(service, f"{service}-agent")
    return grant_key_use(
        context.parent,
        f"{context.name}-{service}-key",
        key,
        identity.email,
        retain=context.settings.retain_data,
    )


def _firestore(context: Context, key: Key) -> OnlineStore:
    settings = context.settings
    grant = _allow_agent(context, key, "firestore")
    database = firestore.Database(
        f"{context.name}-online",
        project=context.project,
        name=FIRESTORE.of(settings.prefix),
        location_id=context.region,
        type="DATASTORE_MODE",
        concurrency_mode="OPTIMISTIC",
        app_engine_integration_mode="DISABLED",
        point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED"
        if settings.backup_days is not None
        else "POINT_IN_TIME_RECOVERY_DISABLED",
        delete_protection_state="DELETE_PROTECTION_ENABLED"
        if settings.protect
        else "DELETE_PROTECTION_DISABLED",
        # Otherwise the provider does not delete the database.
        deletion_policy="DELETE",
        cmek_config=firestore.DatabaseCmekConfigArgs(kms_key_name=key.id),
        opts=context.options(grant, data=True, delete_before_replace=True),
    )
    if settings.backup_days is not None:
        firestore.BackupSchedule(
            f"{context.name}-online",
            project=context.project,
            database=database.name,
            retention=mapped(settings.backup_days, lambda days: f"{days * 24 * 3600}s"),
            daily_recurrence=firestore.BackupScheduleDailyRecurrenceArgs(),
            opts=context.options(),
        )
    config = {"project_id": context.project, "database": FIRESTORE.of(settings.prefix)}
    return OnlineStore(config, database)


def _bigtable(context: Context, key: Key) -> OnlineStore:
    """Create an instance of one cluster, which scales by its load. Feast creates the tables in it."""
    settings = context.settings
    grant = _allow_agent(context, key, "bigtableadmin")
    instance = bigtable.Instance(
        f"{context.name}-online",
        project=context.project,
        name=BIGTABLE.of(settings.prefix),
        display_name=BIGTABLE.of(settings.prefix)[:30],
        clusters=[
            bigtable.InstanceClusterArgs(
                cluster_id="features",
                zone=first_zones(context.region, 1)[0],
                storage_type="SSD",
                kms_key_name=key.id,
                autoscaling_config=bigtable.InstanceClusterAutoscalingConfigArgs(
                    min_nodes=1, max_nodes=_MOST_NODES, cpu_target=_CPU
                ),
            )
        ],
        deletion_protection=settings.protect,
        force_destroy=not settings.protect,
        labels=settings.tags,
        opts=context.options(grant, data=True, delete_before_replace=True),
    )
    apply_role = None
    if settings.appliers:
        apply_role = projects.IAMCustomRole(
            f"{context.name}-applies",
            project=context.project,
            # Ids of roles allow no hyphens.
            role_id=f"{settings.prefix.replace('-', '_')}_features_apply",
            title=f"Makes Feast's tables in Bigtable, {settings.prefix}",
            permissions=list(_BIGTABLE_APPLIES),
            opts=context.options(delete_before_replace=True),
        )
    config = {"project_id": context.project, "instance": BIGTABLE.of(settings.prefix)}
    return OnlineStore(config, instance, apply_role)


def grant_online_store(
    context: Context,
    store: OnlineStore,
    key: str,
    member: Input[str],
    usage: Usage,
    former_key: str | None = None,
) -> pulumi.Resource:
    """Grant a member the use of this store and of no other in the project. key, former_key: its part of the
    logical name, and the one that it had."""
    name = f"{context.name}-{key}-online"
    former_names = [f"{context.name}-{former}-online" for former in renamed(key, former_key)]
    if context.settings.store == "bigtable":
        return bigtable.InstanceIamMember(
            name,
            project=context.project,
            instance=BIGTABLE.of(context.settings.prefix),
            role=_bigtable_role(store, usage),
            member=member,
            opts=context.options(store.resource, former_names=former_names),
        )
    database = f"projects/{context.project}/databases/{FIRESTORE.of(context.settings.prefix)}"
    return projects.IAMMember(
        name,
        project=context.project,
        role=_FIRESTORE_ROLES[usage],
        member=member,
        # A Firestore database has no policy ("Configure database access conditions").
        condition=projects.IAMMemberConditionArgs(
            title=f"{context.settings.prefix}-features",
            description="The feature store's database alone",
            expression=f'resource.name == "{database}"',
        ),
        opts=context.options(store.resource, former_names=former_names),
    )


def _bigtable_role(store: OnlineStore, usage: Usage) -> Input[str]:
    if usage == "apply" and store.apply_role is not None:
        return Output.from_input(store.apply_role.name)
    return "roles/bigtable.reader" if usage == "read" else "roles/bigtable.user"

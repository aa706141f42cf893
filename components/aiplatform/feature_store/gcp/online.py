"""The online store on Google Cloud: Firestore in Datastore mode, or Bigtable; and who may do what there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi
from pulumi import Input, Output
from pulumi_gcp import bigtable, firestore, kms, projects

from aiplatform._shared.gcp.keys import let_use
from aiplatform._shared.gcp.names import first_zones
from aiplatform._shared.principals import renamed
from aiplatform.feature_store.args import BIGTABLE, FIRESTORE
from aiplatform.feature_store.gcp.context import Context

Does = Literal["read", "write", "apply"]
"""What somebody does with the online store: `apply` makes what feature views need there."""

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
"""What Feast calls when it makes its tables (feast/infra/online_stores/bigtable.py); no predefined role gives
it without the right to delete the instance."""
_FIRESTORE_ROLES: Final[Mapping[Does, str]] = {
    "read": "roles/datastore.viewer",
    "write": "roles/datastore.user",
    "apply": "roles/datastore.user",
}
_MOST_NODES: Final = 5
_CPU: Final = 60


@dataclass(frozen=True)
class Online:
    """The online store. config: Feast's block `online_store`, without its type."""

    config: Mapping[str, Any]
    made: pulumi.Resource
    applies: projects.IAMCustomRole | None = None


def online(context: Context, key: kms.CryptoKey) -> Online:
    """The one that the settings choose."""
    if context.settings.store == "bigtable":
        return _bigtable(context, key)
    return _firestore(context, key)


def _agent(context: Context, key: kms.CryptoKey, service: str) -> pulumi.Resource:
    """Let the service's own agent use the key."""
    identity = projects.ServiceIdentity(
        f"{context.name}-{service}-agent",
        project=context.project,
        service=f"{service}.googleapis.com",
        opts=context.options(context.apis[service]),
    )
    return let_use(
        context.parent,
        f"{context.name}-{service}-key",
        key,
        identity.email,
        retain=context.settings.retain_data,
    )


def _firestore(context: Context, key: kms.CryptoKey) -> Online:
    settings = context.settings
    grant = _agent(context, key, "firestore")
    database = firestore.Database(
        f"{context.name}-online",
        project=context.project,
        name=FIRESTORE.of(settings.prefix),
        location_id=context.region,
        type="DATASTORE_MODE",
        concurrency_mode="OPTIMISTIC",
        app_engine_integration_mode="DISABLED",
        point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED"
        if settings.backup_days
        else "POINT_IN_TIME_RECOVERY_DISABLED",
        delete_protection_state="DELETE_PROTECTION_ENABLED"
        if settings.protect
        else "DELETE_PROTECTION_DISABLED",
        # Without it the provider leaves the database where it is.
        deletion_policy="DELETE",
        cmek_config=firestore.DatabaseCmekConfigArgs(kms_key_name=key.id),
        opts=context.options(grant, data=True, delete_before_replace=True),
    )
    if settings.backup_days:
        firestore.BackupSchedule(
            f"{context.name}-online",
            project=context.project,
            database=database.name,
            retention=f"{settings.backup_days * 24 * 3600}s",
            daily_recurrence=firestore.BackupScheduleDailyRecurrenceArgs(),
            opts=context.options(),
        )
    config = {"project_id": context.project, "database": FIRESTORE.of(settings.prefix)}
    return Online(config, database)


def _bigtable(context: Context, key: kms.CryptoKey) -> Online:
    """An instance of one cluster, which grows by its load. Feast makes the tables in it."""
    settings = context.settings
    grant = _agent(context, key, "bigtableadmin")
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
    applies = None
    if settings.appliers:
        applies = projects.IAMCustomRole(
            f"{context.name}-applies",
            project=context.project,
            # No hyphens in the id of a role.
            role_id=f"{settings.prefix.replace('-', '_')}_features_apply",
            title=f"Makes Feast's tables in Bigtable, {settings.prefix}",
            permissions=list(_BIGTABLE_APPLIES),
            opts=context.options(delete_before_replace=True),
        )
    config = {"project_id": context.project, "instance": BIGTABLE.of(settings.prefix)}
    return Online(config, instance, applies)


def let(
    context: Context, online: Online, who: str, member: Input[str], does: Does, former: str | None = None
) -> pulumi.Resource:
    """Let a member do so, in this store and no other of the project. former: what it was in the logical
    name before."""
    name = f"{context.name}-{who}-online"
    formerly = [f"{context.name}-{each}-online" for each in renamed(who, former)]
    if context.settings.store == "bigtable":
        return bigtable.InstanceIamMember(
            name,
            project=context.project,
            instance=BIGTABLE.of(context.settings.prefix),
            role=_bigtable_role(online, does),
            member=member,
            opts=context.options(online.made, formerly=formerly),
        )
    database = f"projects/{context.project}/databases/{FIRESTORE.of(context.settings.prefix)}"
    return projects.IAMMember(
        name,
        project=context.project,
        role=_FIRESTORE_ROLES[does],
        member=member,
        # Firestore has no policies of its own ("Configure database access conditions").
        condition=projects.IAMMemberConditionArgs(
            title=f"{context.settings.prefix}-features",
            description="The feature store's database alone",
            expression=f'resource.name == "{database}"',
        ),
        opts=context.options(online.made, formerly=formerly),
    )


def _bigtable_role(online: Online, does: Does) -> Input[str]:
    if does == "apply" and online.applies is not None:
        return Output.from_input(online.applies.name)
    return "roles/bigtable.reader" if does == "read" else "roles/bigtable.user"

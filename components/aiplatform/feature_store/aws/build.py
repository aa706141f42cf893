"""The feature store on AWS: its resources, in the order of their dependencies."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.core import v1 as core

from aiplatform._shared.aws.account import account_of
from aiplatform._shared.kubernetes.workloads import Application, namespace
from aiplatform.feature_store import config
from aiplatform.feature_store.args import NAMESPACE, FeatureStoreSettings
from aiplatform.feature_store.aws import permissions
from aiplatform.feature_store.aws.buckets import create_key, create_registry
from aiplatform.feature_store.aws.clients import Clients, named_principals
from aiplatform.feature_store.aws.context import REGISTRY, TABLES, Context, Staging
from aiplatform.feature_store.aws.offline import create_database
from aiplatform.feature_store.aws.online import OnlineStore, create_online_store
from aiplatform.feature_store.outputs import FeatureStoreOutputs
from aiplatform.feature_store.workloads import (
    ENDPOINT,
    Identity,
    Platform,
    Workloads,
    create_server_identity,
    materializer_identity,
)


def build(parent: pulumi.ComponentResource, name: str, settings: FeatureStoreSettings) -> FeatureStoreOutputs:
    """Create the resources as children of the component; returns the component's outputs."""
    context = Context(parent, name, settings, account_of(parent))
    principals = named_principals(context)

    key = create_key(context)
    registry = create_registry(context, key)
    schedule = Staging(context, "materializer", "materializer", principals.materializer.arn)
    database = create_database(context, f"s3://{schedule.bucket()}/{TABLES}")
    online = create_online_store(context, key)

    server = create_server_identity(parent, name, settings, settings.tags)
    clients = Clients(context, key, database, online)
    granted = [
        clients.allow_server(server.role_name.apply(str)),
        *clients.create(schedule, settings.materializer.role_name or "", permissions.materialize),
    ]
    client_outputs = [
        *clients.create_named("applier", principals.appliers, permissions.apply),
        *clients.create_named("reader", principals.readers, permissions.read),
    ]

    feature_store_yaml = clients.feature_store_yaml(schedule)
    application = Application(parent, name, NAMESPACE, {"app.kubernetes.io/part-of": NAMESPACE})
    depends_on = [*namespace(application), *registry.ready, *online.ready, *granted]
    depends_on += _create_online_secrets(application, online, depends_on)
    platform = Platform(
        server=Identity(server.annotations, server.ready),
        materializer=materializer_identity(settings),
        variables=_region_variables(context),
    )
    Workloads(application, settings, feature_store_yaml, platform, depends_on).build()
    return {
        "cloud": "aws",
        "project": settings.project,
        "clients": client_outputs,
        "feature_store_yaml": feature_store_yaml,
        "registry": "sql"
        if settings.registry.kind == "sql"
        else f"s3://{context.bucket(REGISTRY)}/{config.REGISTRY}",
        "registry_bucket": registry.bucket.bucket,
        "staging_bucket": schedule.bucket(),
        "offline_database": database.name,
        "workgroup": context.workgroup(schedule.physical),
        "online_store": settings.store,
        "online_tables": online.tables,
        "kms_key": key.arn,
        "namespace": NAMESPACE,
        "endpoint": ENDPOINT,
        "server_principal": server.principal,
    }


def _region_variables(context: Context) -> Mapping[str, str]:
    """Pods cannot read the region from the instance's metadata; boto3 reads the second variable."""
    return {"AWS_REGION": context.account.region, "AWS_DEFAULT_REGION": context.account.region}


def _create_online_secrets(
    application: Application, online: OnlineStore, depends_on: Sequence[pulumi.Resource]
) -> list[core.Secret]:
    return [
        core.Secret(
            f"{application.name}-{part}-online",
            metadata=application.metadata(config.online_secret(part)),
            string_data={"username": user.name, "password": user.password},
            opts=application.options(*depends_on),
        )
        for part, user in online.users.items()
    ]

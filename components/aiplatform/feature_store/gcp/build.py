"""The feature store on Google Cloud: its resources, in the order of their dependencies."""

import pulumi
from pulumi import Output

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.kubernetes.workloads import Application, namespace
from aiplatform.feature_store import config
from aiplatform.feature_store.args import NAMESPACE, FeatureStoreSettings
from aiplatform.feature_store.gcp.buckets import create_staging, create_storage, url
from aiplatform.feature_store.gcp.clients import READ_REGISTRY, WRITE_REGISTRY, Clients
from aiplatform.feature_store.gcp.context import Context
from aiplatform.feature_store.gcp.online import create_online_store
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
    project = settings.cluster.project or ""
    apis = enable_apis(parent, name, project, _apis(settings))
    context = Context(parent, name, settings, project, settings.lakehouse.region or "", apis)

    data = create_storage(context)
    online = create_online_store(context, data.key)

    server = create_server_identity(parent, name, settings)
    clients = Clients(context, data, online)
    materializer = settings.materializer.principal
    schedule = create_staging(context, data, "materializer", materializer)
    granted = [
        *clients.grant("server", server.principal, registry=READ_REGISTRY, usage="read"),
        *clients.grant(
            "materializer", materializer, registry=WRITE_REGISTRY, usage="write", staging=schedule
        ),
    ]
    client_outputs = [
        *clients.create_named("applier", settings.appliers, WRITE_REGISTRY, "apply"),
        *clients.create_named("reader", settings.readers, READ_REGISTRY, None),
    ]

    feature_store_yaml = clients.feature_store_yaml(schedule)
    application = Application(parent, name, NAMESPACE, {"app.kubernetes.io/part-of": NAMESPACE})
    platform = Platform(
        server=Identity(server.annotations, server.ready),
        materializer=materializer_identity(settings),
        variables={"GOOGLE_CLOUD_PROJECT": project},
    )
    depends_on = [*namespace(application), *data.ready, online.resource, *granted]
    Workloads(application, settings, feature_store_yaml, platform, depends_on).build()
    return {
        "cloud": "gcp",
        "project": settings.project,
        "clients": client_outputs,
        "feature_store_yaml": feature_store_yaml,
        "registry": "sql"
        if settings.registry.kind == "sql"
        else Output.concat(url(data.registry), f"/{config.REGISTRY}"),
        "registry_bucket": data.registry.name,
        "staging_bucket": schedule.bucket.name,
        "offline_database": schedule.dataset.dataset_id,
        "workgroup": None,
        "online_store": settings.store,
        "online_tables": [],
        "kms_key": data.key.id,
        "namespace": NAMESPACE,
        "endpoint": ENDPOINT,
        "server_principal": server.principal,
    }


def _apis(settings: FeatureStoreSettings) -> list[str]:
    store = ["bigtable", "bigtableadmin"] if settings.store == "bigtable" else ["datastore", "firestore"]
    return ["bigquery", "bigquerystorage", "cloudkms", "iam", "storage", *store]

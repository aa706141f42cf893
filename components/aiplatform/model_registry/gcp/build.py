"""The model registry on Google Cloud: its resources, in the order of their dependencies."""

from typing import Final

import pulumi
from pulumi import Output
from pulumi_gcp import storage

from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.kubernetes.workloads import Application, namespace
from aiplatform.model_registry.args import SERVER, SETUP, ModelRegistrySettings
from aiplatform.model_registry.gcp.access import Identities, Secrets, create_identities, create_secrets
from aiplatform.model_registry.gcp.context import APIS, Context
from aiplatform.model_registry.gcp.database import PORT, CloudSql, create_database
from aiplatform.model_registry.gcp.existing_database import existing_database, read_instance
from aiplatform.model_registry.gcp.storage import FOLDER, create_buckets, create_key
from aiplatform.model_registry.platform import (
    Built,
    Database,
    Platform,
    identity_of,
    names_of_databases,
    setup_of_existing,
)
from aiplatform.model_registry.workloads import Workloads

_SSL_MODE: Final = "verify-ca"
"""libpq's mode: encrypted, with a certificate of this authority, which is the instance's own."""


def build(parent: pulumi.ComponentResource, name: str, settings: ModelRegistrySettings) -> Built:
    """Create the resources as children of the component."""
    project, region = settings.cluster.project or "", settings.cluster.region or ""
    existing = settings.database.existing
    instance = None if existing is None else read_instance(parent, existing)
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, APIS))

    identities = create_identities(context)
    key = create_key(context)
    buckets = create_buckets(context, key, identities[SERVER].principal)
    if existing is None:
        database = create_database(context, key, identities)
    else:
        database = existing_database(context, existing, instance, identities)
    secrets = create_secrets(context, key, identities)

    application = Application(
        parent, name, settings.namespace, {"app.kubernetes.io/part-of": "model-registry"}
    )
    platform = _platform(context, identities, database, buckets.artifacts, secrets)
    depends_on = [*namespace(application), *database.ready, *secrets.ready]
    deployment = Workloads(application, settings, platform, depends_on).build()
    return Built(
        server=deployment.id,
        artifact_bucket=buckets.artifacts.name,
        log_bucket=buckets.logs.name,
        database_endpoint=database.instance.address,
        kms_key=key.key.id,
        principal=identities[SERVER].principal,
        secrets=secrets.accounts,
    )


def _platform(
    context: Context,
    identities: Identities,
    database: CloudSql,
    artifacts: storage.Bucket,
    secrets: Secrets,
) -> Platform:
    address, existing = database.instance.address, context.settings.database.existing
    return Platform(
        server=identity_of(identities[SERVER]),
        setup=identity_of(identities[SETUP]),
        variables={"GOOGLE_CLOUD_PROJECT": context.project},
        setup_variables={
            "REGISTRY_MASTER_USER": database.users[SETUP],
            **setup_of_existing(existing, context.settings.prefix),
        },
        database=Database(
            names=names_of_databases(existing),
            host=address,
            port=PORT,
            user=database.users[SERVER],
            ssl_mode=_SSL_MODE,
            certificates=database.instance.certificates,
            addresses=Output.concat(address, "/32"),
        ),
        artifacts=Output.concat("gs://", artifacts.name, f"/{FOLDER}"),
        server_secret=secrets.signing_key,
        secrets=secrets.accounts,
    )

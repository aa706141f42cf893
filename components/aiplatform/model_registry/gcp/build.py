"""The model registry on Google Cloud: its parts, in the order in which they need each other."""

from typing import Any, Final

import pulumi
from pulumi import Output

from aiplatform._shared.gcp.apis import switched_on
from aiplatform._shared.kubernetes.workloads import Home, namespace
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.model_registry.args import SERVER, SETUP, ModelRegistrySettings
from aiplatform.model_registry.gcp import access as gcp_access
from aiplatform.model_registry.gcp import database as gcp_database
from aiplatform.model_registry.gcp import storage as gcp_storage
from aiplatform.model_registry.gcp.context import APIS, Context
from aiplatform.model_registry.workloads import DATABASE, Database, Platform, Who, Workloads

_VERIFIED: Final = "verify-ca"
"""libpq's word for: encrypted, by a certificate of this authority, which is the instance's own."""


def build(parent: pulumi.ComponentResource, name: str, settings: ModelRegistrySettings) -> dict[str, Any]:
    """All of it, as children of one component; answers its outputs."""
    apis = switched_on(parent, name, settings.cluster.project or "", APIS)
    context = Context(parent, name, settings, apis)
    who = gcp_access.identities(context)
    key = gcp_storage.key(context)
    artifacts, logs = gcp_storage.buckets(context, key, who[SERVER].principal)
    database = gcp_database.database(context, key, who)
    kept = gcp_access.secrets(context, key, who)
    home = Home(parent, name, settings.namespace, {"app.kubernetes.io/part-of": "model-registry"})
    address = database.instance.private_ip_address
    platform = Platform(
        server=Who(who[SERVER].annotations, who[SERVER].ready),
        setup=Who(who[SETUP].annotations, who[SETUP].ready),
        variables={"GOOGLE_CLOUD_PROJECT": context.project},
        setup_variables={"REGISTRY_MASTER_USER": database.users[SETUP]},
        database=Database(
            host=address,
            port=gcp_database.PORT,
            user=database.users[SERVER],
            ssl_mode=_VERIFIED,
            certificates=gcp_database.certificates(database.instance),
            addresses=Output.concat(address, "/32"),
        ),
        artifacts=Output.concat("gs://", artifacts.name, f"/{gcp_storage.FOLDER}"),
        server_secret=kept.signing_key,
        secrets=kept.accounts,
    )
    needed = [*namespace(home), *database.ready, *kept.ready]
    deployment = Workloads(home, settings, platform, needed).build()
    return {
        "artifact_bucket": artifacts.name,
        "log_bucket": logs.name,
        "database_endpoint": address,
        "database_name": DATABASE,
        "kms_key": key.key.id,
        "principal": who[SERVER].principal,
        "admin_secret": kept.accounts[ADMIN],
        "secrets": [{"account": account, "secret": each} for account, each in kept.accounts.items()],
        "ready": deployment.id,
    }

"""MLflow on a cluster, with its database, the bucket of its models, and accounts."""

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform._shared.references.providers import refuse_cloud_of_unknown
from aiplatform.model_registry.accounts import ADMIN, ModelRegistryAccountArgs
from aiplatform.model_registry.args import (
    SERVER,
    ModelRegistryArgs,
    ModelRegistryArtifactsArgs,
    ModelRegistrySettings,
)
from aiplatform.model_registry.database import ModelRegistryDatabaseArgs
from aiplatform.model_registry.existing_database import ModelRegistryExistingDatabaseArgs
from aiplatform.model_registry.output_types import ModelRegistrySecret
from aiplatform.model_registry.outputs import ModelRegistryOutputs
from aiplatform.model_registry.platform import names_of_databases
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "ClusterReferenceArgs",
    "ModelRegistry",
    "ModelRegistryAccountArgs",
    "ModelRegistryArgs",
    "ModelRegistryArtifactsArgs",
    "ModelRegistryDatabaseArgs",
    "ModelRegistryExistingDatabaseArgs",
    "ModelRegistryOutputs",
    "ModelRegistrySecret",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
]


class ModelRegistry(ComponentResource):
    """MLflow on a cluster, with its metadata in a managed PostgreSQL and its files in a dedicated bucket.

    All requests require an account. The server authenticates to the database and the bucket by its workload
    identity, so that neither has a password; passwords of accounts are generated at run time in the secret
    manager, and an account's principals may read its secret. Files are transferred by the server: clients
    have no permission on the bucket. Before a new version of MLflow is deployed, a Job migrates the database.

    An account that may edit a model registers versions and moves its aliases, except for the guarded ones:
    only accounts that promote, and `admin`, set and remove `champion`. What such an alias refers to is frozen
    for all other accounts: the model's name, the version's record, and its files.

    Takes the cloud's and the Kubernetes provider through `opts.providers`.
    """

    cloud: KnownOutput[str]
    """`aws` or `gcp`."""
    namespace: KnownOutput[str]
    """The Kubernetes namespace."""
    tracking_uri: Output[str]
    """The MLFLOW_TRACKING_URI of clients in the cluster."""
    version: Output[str]
    """MLflow's version."""
    image: Output[str]
    """The image of the server."""
    artifact_bucket: Output[str]
    """The bucket of models and other files of runs."""
    log_bucket: Output[str]
    """The bucket of its access logs."""
    database_endpoint: Output[str]
    """The database's host in the network."""
    database_name: Output[str]
    """The database of the metadata."""
    kms_key: Output[str]
    """The key of all data: its arn on AWS, its id on Google Cloud."""
    principal: Output[str]
    """The server's principal in the cloud: a role's arn, or `serviceAccount:` and an email."""
    admin_secret: Output[str]
    """The secret of the account `admin`."""
    secrets: KnownOutput[list[ModelRegistrySecret]]
    """The secrets of all accounts."""

    def __init__(self, name: str, args: ModelRegistryArgs, opts: ResourceOptions | None = None) -> None:
        refuse_cloud_of_unknown("ModelRegistryArgs", args, opts)
        settings = read(ModelRegistrySettings, args, "ModelRegistryArgs")
        super().__init__("aiplatform:index:ModelRegistry", name, {}, opts)
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        if settings.cloud == "gcp":
            from aiplatform.model_registry.gcp.build import build
        else:
            from aiplatform.model_registry.aws.build import build
        built = build(self, name, settings)
        self.outputs: ModelRegistryOutputs = {
            "cloud": settings.cloud,
            "namespace": settings.namespace,
            # The address is known once the server runs.
            "tracking_uri": built.server.apply(
                lambda _: f"{settings.scheme}://{SERVER}.{settings.namespace}.svc.cluster.local"
            ),
            "version": settings.version,
            "image": settings.chosen_image,
            "artifact_bucket": built.artifact_bucket,
            "log_bucket": built.log_bucket,
            "database_endpoint": built.database_endpoint,
            "database_name": names_of_databases(settings.database.existing)[0],
            "kms_key": built.kms_key,
            "principal": built.principal,
            "admin_secret": built.secrets[ADMIN],
            "secrets": [{"account": account, "secret": secret} for account, secret in built.secrets.items()],
        }
        publish(self, self.outputs)

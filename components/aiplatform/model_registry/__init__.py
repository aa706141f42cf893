"""MLflow on a cluster, its database, the bucket of its models, and who may do what with them."""

from typing import Any, TypedDict

from pulumi import ComponentResource, Output, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.model_registry.accounts import ModelRegistryAccountArgs
from aiplatform.model_registry.args import (
    SERVER,
    ModelRegistryArgs,
    ModelRegistryArtifactsArgs,
    ModelRegistrySettings,
)
from aiplatform.model_registry.database import ModelRegistryDatabaseArgs
from aiplatform.network.args import NetworkReferenceArgs, NetworkZoneArgs

__all__ = [
    "ClusterReferenceArgs",
    "ModelRegistry",
    "ModelRegistryAccountArgs",
    "ModelRegistryArgs",
    "ModelRegistryArtifactsArgs",
    "ModelRegistryDatabaseArgs",
    "ModelRegistrySecret",
    "NetworkReferenceArgs",
    "NetworkZoneArgs",
]


class ModelRegistrySecret(TypedDict):
    """Where an account's password is."""

    account: str
    """The account's name."""
    secret: str
    """AWS: the secret's arn. Google Cloud: the secret, `projects/.../secrets/...`. What it holds is JSON with
    `username` and `password`."""


class ModelRegistry(ComponentResource):
    """MLflow on a cluster, with its metadata in a managed PostgreSQL and its files in a bucket of its own.

    Nobody gets in without an account. The server signs in to the database and to the bucket as its workload
    identity, so that no password of either stands anywhere; passwords of accounts are made at run time in the
    secret manager, and whoever is to be an account may read its secret. Files go through the server: clients
    have rights on no bucket. Before a new version of MLflow rolls, a Job brings the database to its schema.

    An account that may edit a model registers versions and moves its aliases, except for the guarded ones:
    `champion` is given and taken by accounts that promote, and by `admin`. What such an alias serves is
    frozen for all other accounts: the model's name, the version's record, and its files.

    Takes the cloud's and the Kubernetes provider through `opts.providers`.
    """

    cloud: Output[str]
    """`aws` or `gcp`."""
    namespace: Output[str]
    """The Kubernetes namespace."""
    tracking_uri: Output[str]
    """What clients in the cluster set as MLFLOW_TRACKING_URI."""
    version: Output[str]
    """MLflow's version."""
    image: Output[str]
    """The image that runs."""
    artifact_bucket: Output[str]
    """The bucket of models and other files of runs."""
    log_bucket: Output[str]
    """The bucket of its access logs."""
    database_endpoint: Output[str]
    """The database's host, inside the network."""
    database_name: Output[str]
    """The database of the metadata."""
    kms_key: Output[str]
    """The key of all data: its arn on AWS, its id on Google Cloud."""
    principal: Output[str]
    """Who the server is in the cloud: a role's arn, or `serviceAccount:` and an address."""
    admin_secret: Output[str]
    """The secret of the account `admin`."""
    secrets: Output[list[ModelRegistrySecret]]
    """The secrets of all accounts."""

    def __init__(self, name: str, args: ModelRegistryArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(ModelRegistrySettings, args, "ModelRegistryArgs")
        super().__init__("aiplatform:index:ModelRegistry", name, {}, opts)
        # Imported late: arguments are checked without the cloud's SDK, which takes a second to load.
        if settings.cloud == "gcp":
            from aiplatform.model_registry.gcp.build import build
        else:
            from aiplatform.model_registry.aws.build import build
        made = build(self, name, settings)
        # Known once the server runs: who asks for the address has somebody to talk to.
        ready = Output.from_input(made.pop("ready"))
        self.outputs: dict[str, Any] = {
            "cloud": settings.cloud,
            "namespace": settings.namespace,
            "tracking_uri": ready.apply(
                lambda _: f"{settings.scheme}://{SERVER}.{settings.namespace}.svc.cluster.local"
            ),
            "version": settings.version,
            "image": settings.chosen_image,
            **made,
        }
        for key, output in self.outputs.items():
            setattr(self, key, Output.from_input(output))
        self.register_outputs(self.outputs)

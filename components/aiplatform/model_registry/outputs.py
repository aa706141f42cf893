"""`ModelRegistry.outputs`."""

from typing import TypedDict

from pulumi import Input

from aiplatform.model_registry.output_types import ModelRegistrySecret


class ModelRegistryOutputs(TypedDict):
    """Outputs of ModelRegistry."""

    cloud: Input[str]
    """`aws` or `gcp`."""
    namespace: Input[str]
    """The Kubernetes namespace."""
    tracking_uri: Input[str]
    """The MLFLOW_TRACKING_URI of clients in the cluster."""
    version: Input[str]
    """MLflow's version."""
    image: Input[str]
    """The image of the server."""
    artifact_bucket: Input[str]
    """The bucket of models and other files of runs."""
    log_bucket: Input[str]
    """The bucket of its access logs."""
    database_endpoint: Input[str]
    """The database's host in the network."""
    database_name: Input[str]
    """The database of the metadata."""
    kms_key: Input[str]
    """The key of all data: its arn on AWS, its id on Google Cloud."""
    principal: Input[str]
    """The server's principal in the cloud: a role's arn, or `serviceAccount:` and an email."""
    admin_secret: Input[str]
    """The secret of the account `admin`."""
    secrets: list[ModelRegistrySecret]
    """The secrets of all accounts."""

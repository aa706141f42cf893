"""The context of a model registry on Google Cloud."""

from dataclasses import dataclass
from typing import Final

from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform.model_registry.args import ModelRegistrySettings

# servicenetworking: of a network of Shared VPC, no component of this project has enabled it.
APIS: Final = ("cloudkms", "iam", "secretmanager", "servicenetworking", "sqladmin", "storage")


@dataclass(frozen=True)
class Context(GcpDataContext[ModelRegistrySettings]):
    """The component, its settings, the cluster's project and region, and APIs."""

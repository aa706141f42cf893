"""The context of a model store on Google Cloud."""

from dataclasses import dataclass
from typing import Final

from aiplatform._shared.gcp.context import GcpBucketContext
from aiplatform.model_store.args import ModelStoreSettings

APIS: Final = ("cloudkms", "iam", "secretmanager", "storage")


@dataclass(frozen=True)
class Context(GcpBucketContext[ModelStoreSettings]):
    """The component, its settings, the cluster's project and region, and APIs."""

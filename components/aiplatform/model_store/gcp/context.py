"""The context of a model store on Google Cloud."""

from dataclasses import dataclass
from typing import Final

from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform.model_store.args import ModelStoreSettings

APIS: Final = ("cloudkms", "iam", "secretmanager", "storage")


@dataclass(frozen=True)
class Context(GcpDataContext[ModelStoreSettings]):
    """The component, its settings, the cluster's project and region, and APIs."""

    def bucket(self, purpose: str) -> str:
        """Return a bucket's name; the project's id makes it unique in all of Google Cloud."""
        return f"{self.settings.prefix}-{purpose}-{self.project}"

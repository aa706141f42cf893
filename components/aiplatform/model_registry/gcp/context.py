"""What the parts of a model registry on Google Cloud share."""

from dataclasses import dataclass
from typing import Final

from pulumi import Output
from pulumi_gcp import projects

from aiplatform._shared.context import KeepingContext
from aiplatform._shared.gcp.apis import Apis
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.model_registry.args import ModelRegistrySettings

APIS: Final = ("cloudkms", "iam", "secretmanager", "sqladmin", "storage")


@dataclass(frozen=True)
class Context(KeepingContext[ModelRegistrySettings]):
    """The component, its settings, and the APIs that are switched on."""

    apis: Apis

    @property
    def project(self) -> str:
        """The project of the cluster."""
        return self.settings.cluster.project or ""

    @property
    def region(self) -> str:
        """The region of the cluster."""
        return self.settings.cluster.region or ""

    @property
    def labels(self) -> dict[str, str] | None:
        """Labels of what has any."""
        return dict(self.settings.tags) or None

    @property
    def accounts(self) -> list[str]:
        """All accounts of MLflow that are declared."""
        return [ADMIN, *self.settings.accounts]

    def agent(self, service: str) -> Output[str]:
        """The address of Google's own service account of a service in the project; asking for it makes it."""
        return projects.ServiceIdentity(
            f"{self.name}-{service}",
            project=self.project,
            service=f"{service}.googleapis.com",
            opts=self.options(self.apis[service]),
        ).email

"""What the parts of a model registry on Google Cloud share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import projects

from aiplatform._google_apis import Apis
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.model_registry.args import ModelRegistrySettings

APIS: Final = ("cloudkms", "iam", "secretmanager", "sqladmin", "storage")


@dataclass(frozen=True)
class Context:
    """The component, its settings, and the APIs that are switched on."""

    parent: pulumi.ComponentResource
    name: str
    settings: ModelRegistrySettings
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

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
        ignore_changes: Sequence[str] = (),
    ) -> ResourceOptions:
        """Options of a child. data: whether it is or keeps data, and so is protected and retained."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            ignore_changes=list(ignore_changes) or None,
            # None, not False: what an enclosing component says stays.
            protect=True if data and self.settings.protect else None,
            retain_on_delete=True if data and self.settings.retain_data else None,
            delete_before_replace=delete_before_replace,
        )

    def agent(self, service: str) -> Output[str]:
        """The address of Google's own service account of a service in the project; asking for it makes it."""
        return projects.ServiceIdentity(
            f"{self.name}-{service}",
            project=self.project,
            service=f"{service}.googleapis.com",
            opts=self.options(self.apis[service]),
        ).email

"""What the parts of a feature store on Google Cloud share."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions

from aiplatform._google_apis import Apis
from aiplatform.feature_store.args import DATABASE, FeatureStoreSettings


@dataclass(frozen=True)
class Context:
    """The component, its settings, and the APIs that are switched on."""

    parent: pulumi.ComponentResource
    name: str
    settings: FeatureStoreSettings
    apis: Apis

    @property
    def project(self) -> str:
        """The project of cluster and lakehouse."""
        return self.settings.cluster.project or ""

    @property
    def region(self) -> str:
        """The region of the lakehouse: what is joined must be in one place."""
        return self.settings.lakehouse.region or ""

    @property
    def dataset(self) -> str:
        """The dataset of Feast's own tables. BigQuery takes no hyphens."""
        return DATABASE.of(self.settings.prefix).replace("-", "_")

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

"""What the parts of a feature store on Google Cloud share."""

from dataclasses import dataclass

from aiplatform._shared.context import KeepingContext
from aiplatform._shared.gcp.apis import Apis
from aiplatform.feature_store.args import DATABASE, FeatureStoreSettings


@dataclass(frozen=True)
class Context(KeepingContext[FeatureStoreSettings]):
    """The component, its settings, and the APIs that are switched on."""

    apis: Apis

    @property
    def project(self) -> str:
        """The project of cluster and lakehouse."""
        return self.settings.cluster.project or ""

    @property
    def region(self) -> str:
        """The region of the lakehouse: what is joined must be in one place."""
        return self.settings.lakehouse.region or ""

    def dataset(self, who: str) -> str:
        """The dataset of a principal's temporary tables. BigQuery takes no hyphens."""
        return f"{DATABASE.of(self.settings.prefix)}_{who}".replace("-", "_")

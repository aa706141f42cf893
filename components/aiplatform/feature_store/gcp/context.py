"""The context of a feature store on Google Cloud."""

from dataclasses import dataclass

from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform.feature_store.args import DATABASE, FeatureStoreSettings


@dataclass(frozen=True)
class Context(GcpDataContext[FeatureStoreSettings]):
    """The component, its settings, the cluster's project, and the lakehouse's region: data that is joined
    must be in one location."""

    def dataset(self, purpose: str) -> str:
        """Return the dataset of a principal's temporary tables. BigQuery allows no hyphens."""
        return f"{DATABASE.of(self.settings.prefix)}_{purpose}".replace("-", "_")

"""What the parts of a feature store on AWS share."""

from dataclasses import dataclass

from aiplatform._aws import Place
from aiplatform._context import KeepingContext
from aiplatform.feature_store.args import DATABASE, FeatureStoreSettings

REGISTRY = "registry"
STAGING = "staging"
RESULTS = "results"
"""Where in the staging bucket Athena puts results that no statement has a place for."""
_CALLED = {REGISTRY: "features", STAGING: "features-staging"}


@dataclass(frozen=True)
class Context(KeepingContext[FeatureStoreSettings]):
    """The component, its settings and where it is made."""

    place: Place

    def tags(self, purpose: str) -> dict[str, str]:
        """Tags of a resource, with its name."""
        return {**self.settings.tags, "Name": f"{self.settings.prefix}-{_CALLED.get(purpose, purpose)}"}

    def bucket(self, purpose: str) -> str:
        """A bucket's name; the account in it makes it the only one of all accounts."""
        return f"{self.settings.prefix}-{_CALLED[purpose]}-{self.place.account_id}"

    def bucket_arn(self, purpose: str, path: str = "") -> str:
        """A bucket's arn, or that of what is in it."""
        return f"arn:{self.place.partition}:s3:::{self.bucket(purpose)}{path}"

    @property
    def database(self) -> str:
        """The database of Feast's own tables. Hyphens would have to be quoted in every query."""
        return DATABASE.of(self.settings.prefix).replace("-", "_")

"""What the parts of a feature store on AWS share."""

from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions

from aiplatform._aws import Place
from aiplatform.feature_store.args import DATABASE, FeatureStoreSettings

REGISTRY = "registry"
STAGING = "staging"
RESULTS = "results"
"""Where in the staging bucket Athena puts results that no statement has a place for."""
_CALLED = {REGISTRY: "features", STAGING: "features-staging"}


@dataclass(frozen=True)
class Context:
    """The component, its settings and where it is made."""

    parent: pulumi.ComponentResource
    name: str
    settings: FeatureStoreSettings
    place: Place

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
        ignore_changes: list[str] | None = None,
    ) -> ResourceOptions:
        """Options of a child. data: whether it is or keeps data, and so is protected and retained."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
            ignore_changes=ignore_changes,
            # None, not False: what an enclosing component says stays.
            protect=True if data and self.settings.protect else None,
            retain_on_delete=True if data and self.settings.retain_data else None,
            delete_before_replace=delete_before_replace,
        )

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

"""What the parts of a feature store on AWS share."""

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions

from aiplatform._shared.aws.account import Place
from aiplatform._shared.context import KeepingContext
from aiplatform.feature_store.args import DATABASE, WORKGROUP, FeatureStoreSettings

REGISTRY = "registry"
RESULTS = "results"
"""Where in a staging bucket Athena puts results that no statement has a place for."""
TABLES = "tables"
"""Where in the schedule's bucket a table of Feast's database would be that has no place of its own."""
_CALLED = {REGISTRY: "features"}


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

    def workgroup(self, who: str) -> str:
        """The name of a principal's workgroup."""
        return WORKGROUP.of(self.settings.prefix).removesuffix("applier-12345678") + who

    @property
    def database(self) -> str:
        """The database of Feast's own tables. Hyphens would have to be quoted in every query."""
        return DATABASE.of(self.settings.prefix).replace("-", "_")


@dataclass(frozen=True)
class Staging:
    """What one principal has between Feast and Athena: a bucket and a workgroup. Where the engine alone knows
    the principals and another one takes its place (an entry before it in `readers` was removed), both are
    replaced, with what is in them.

    who: in physical names, `materializer`, `reader-1f0c83d2`. logical: in logical names,
    `reader-role-analysts`. Principals cannot share a bucket by prefixes: Feast clears entity frames at its
    root.
    """

    context: Context
    who: str
    logical: str
    principal: Input[str]

    @property
    def name(self) -> str:
        """The component's logical name."""
        return self.context.name

    @property
    def place(self) -> Place:
        """Where it is made."""
        return self.context.place

    @property
    def purpose(self) -> str:
        """The last part of logical names."""
        return f"staging-{self.logical}"

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
    ) -> ResourceOptions:
        """Options of a child. The materializer's bucket is guarded as data is, so it stays when its principal
        changes: what is protected cannot be replaced. All else is replaced with its principal."""
        guarded = data and self.who == "materializer"
        return ResourceOptions.merge(
            self.context.options(*depends_on, data=guarded, delete_before_replace=delete_before_replace),
            ResourceOptions(replace_on_changes=[] if guarded else [f"tags.{_PRINCIPAL}"]),
        )

    def tags(self, purpose: str) -> dict[str, Input[str]]:
        """Tags, with the principal. A tag takes all that a role's arn has but a comma."""
        named = Output.from_input(self.principal).apply(lambda arn: arn.replace(",", "_"))
        called = f"staging-{self.who}" if purpose == self.purpose else purpose
        name = f"{self.context.settings.prefix}-{called}"
        return {**self.context.settings.tags, "Name": name, _PRINCIPAL: named}

    def bucket(self, purpose: str = "") -> str:
        """The bucket's name; the account in it makes it the only one of all accounts."""
        return f"{self.context.settings.prefix}-feast-{self.who}-{self.place.account_id}"

    def bucket_arn(self, purpose: str = "", path: str = "") -> str:
        """The bucket's arn, or that of what is in it."""
        return f"arn:{self.place.partition}:s3:::{self.bucket(purpose)}{path}"


_PRINCIPAL = "principal"

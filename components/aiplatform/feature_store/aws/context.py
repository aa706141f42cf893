"""The context of a feature store on AWS, and what one principal of it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import pulumi
from pulumi import Input, Output, ResourceOptions

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.context import AwsDataContext
from aiplatform._shared.outputs import Tags, merged
from aiplatform.feature_store.args import DATABASE, WORKGROUP, FeatureStoreSettings

REGISTRY: Final = "registry"
RESULTS: Final = "results"
"""The folder of a staging bucket for results of Athena for which no statement names a location."""
TABLES: Final = "tables"
"""The folder of the schedule's bucket for tables of Feast's database without a location."""
_PRINCIPAL: Final = "principal"


@dataclass(frozen=True)
class Context(AwsDataContext[FeatureStoreSettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {REGISTRY: "features"}

    def workgroup(self, purpose: str) -> str:
        """Return the name of a principal's workgroup."""
        return WORKGROUP.of(self.settings.prefix).removesuffix("applier-12345678") + purpose

    @property
    def database(self) -> str:
        """The database of Feast's temporary tables. Hyphens would have to be quoted in every query."""
        return DATABASE.of(self.settings.prefix).replace("-", "_")


@dataclass(frozen=True)
class Staging:
    """What one principal has between Feast and Athena: a bucket and a workgroup. Where only the engine knows
    the principals and another one takes its place (an entry before it in `readers` was removed), both are
    replaced, with their contents.

    physical: its part of physical names, `materializer`, `reader-1f0c83d2`. logical: its part of logical
    names, `reader-role-analysts`. Principals cannot share a bucket by prefixes: Feast clears entity frames at
    its root.
    """

    context: Context
    physical: str
    logical: str
    principal: Input[str]

    @property
    def name(self) -> str:
        """The component's logical name."""
        return self.context.name

    @property
    def account(self) -> Account:
        """The account and region."""
        return self.context.account

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
        """Return the options of a child. The materializer's bucket is protected as data is, so it stays when
        its principal changes: what is protected cannot be replaced. Everything else is replaced with its
        principal."""
        protected = data and self.physical == "materializer"
        return ResourceOptions.merge(
            self.context.options(*depends_on, data=protected, delete_before_replace=delete_before_replace),
            ResourceOptions(replace_on_changes=[] if protected else [f"tags.{_PRINCIPAL}"]),
        )

    def tags(self, purpose: str) -> Tags:
        """Return tags, the principal included. A tag accepts all characters of a role's arn but a comma."""
        principal = Output.from_input(self.principal).apply(lambda arn: arn.replace(",", "_"))
        part = f"staging-{self.physical}" if purpose == self.purpose else purpose
        name = f"{self.context.settings.prefix}-{part}"
        return merged(self.context.settings.tags, {"Name": name, _PRINCIPAL: principal})

    def bucket(self, purpose: str = "") -> str:
        """Return the bucket's name; the account id makes it unique among all accounts."""
        return f"{self.context.settings.prefix}-feast-{self.physical}-{self.account.account_id}"

    def bucket_arn(self, purpose: str = "", path: str = "") -> str:
        """Return the arn of the bucket, or of its objects at `path`."""
        return f"arn:{self.account.partition}:s3:::{self.bucket(purpose)}{path}"

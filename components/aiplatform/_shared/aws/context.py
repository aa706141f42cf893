"""The context of a component on AWS that stores data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from aiplatform._shared.aws.account import Account
from aiplatform._shared.context import DataContext, S
from aiplatform._shared.outputs import Tags, merged


@dataclass(frozen=True)
class AwsDataContext(DataContext[S]):
    """The component, its settings, and the account and region that it is created in.

    Physical names contain a purpose (`artifacts`); `name_parts` states the ones that are called otherwise.
    """

    name_parts: ClassVar[Mapping[str, str]] = {}

    account: Account

    def tags(self, purpose: str) -> Tags:
        """Return the tags of a resource, its `Name` included."""
        part = self.name_parts.get(purpose, purpose)
        return merged(self.settings.tags, {"Name": f"{self.settings.prefix}-{part}"})

    def bucket(self, purpose: str) -> str:
        """Return a bucket's name; the account id makes it unique among all accounts."""
        part = self.name_parts.get(purpose, purpose)
        return f"{self.settings.prefix}-{part}-{self.account.account_id}"

    def bucket_arn(self, purpose: str, path: str = "") -> str:
        """Return the arn of a bucket, or of its objects at `path` (`/runs/*`)."""
        return f"arn:{self.account.partition}:s3:::{self.bucket(purpose)}{path}"

    def via_service(self, service: str) -> str:
        """Return the value of `kms:ViaService` for requests that a service of this region makes."""
        return f"{service}.{self.account.region}.{self.account.dns_suffix}"

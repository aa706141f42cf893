"""What the parts of a model registry on AWS share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions

from aiplatform._aws import Place
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.model_registry.args import ModelRegistrySettings

ARTIFACTS: Final = "artifacts"
LOGS: Final = "logs"
_CALLED: Final = {ARTIFACTS: "models", LOGS: "models-logs"}


@dataclass(frozen=True)
class Context:
    """The component, its settings and where it is made."""

    parent: pulumi.ComponentResource
    name: str
    settings: ModelRegistrySettings
    place: Place

    def options(
        self,
        *depends_on: pulumi.Resource,
        data: bool = False,
        delete_before_replace: bool | None = None,
    ) -> ResourceOptions:
        """Options of a child. data: whether it is or keeps data, and so is protected and retained."""
        return ResourceOptions(
            parent=self.parent,
            depends_on=list(depends_on) or None,
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
    def accounts(self) -> list[str]:
        """All accounts of MLflow that are declared."""
        return [ADMIN, *self.settings.accounts]

    @property
    def readers_of_secrets(self) -> Output[Sequence[str]]:
        """Who may read the password of some account, each once."""
        principals: list[Input[str]] = [
            each for account in self.settings.accounts.values() for each in account.principals
        ]
        return Output.all(*principals).apply(lambda known: sorted({str(each) for each in known}))

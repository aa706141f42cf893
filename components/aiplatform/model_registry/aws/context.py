"""What the parts of a model registry on AWS share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Input, Output

from aiplatform._shared.aws.account import Place
from aiplatform._shared.context import KeepingContext
from aiplatform.model_registry.accounts import ADMIN
from aiplatform.model_registry.args import ModelRegistrySettings

ARTIFACTS: Final = "artifacts"
LOGS: Final = "logs"
_CALLED: Final = {ARTIFACTS: "models", LOGS: "models-logs"}


@dataclass(frozen=True)
class Context(KeepingContext[ModelRegistrySettings]):
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

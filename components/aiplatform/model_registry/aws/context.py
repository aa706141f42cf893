"""The context of a model registry on AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from pulumi import Input, Output

from aiplatform._shared.aws.context import AwsDataContext
from aiplatform.model_registry.args import ModelRegistrySettings

ARTIFACTS: Final = "artifacts"
LOGS: Final = "logs"


@dataclass(frozen=True)
class Context(AwsDataContext[ModelRegistrySettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {ARTIFACTS: "models", LOGS: "models-logs"}

    @property
    def secret_readers(self) -> Output[Sequence[str]]:
        """The principals that may read the password of an account, each once."""
        principals: list[Input[str]] = [
            principal for account in self.settings.accounts.values() for principal in account.principals
        ]
        return Output.all(*principals).apply(lambda known: sorted({str(principal) for principal in known}))

"""The context of a model store on AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from aiplatform._shared.aws.context import AwsDataContext
from aiplatform.model_store.args import ModelStoreSettings

CHECKPOINTS: Final = "checkpoints"
RELEASES: Final = "releases"
LOGS: Final = "logs"


@dataclass(frozen=True)
class Context(AwsDataContext[ModelStoreSettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {LOGS: "model-store-logs"}

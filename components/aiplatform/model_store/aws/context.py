"""The context of a model store on AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from aiplatform._shared.aws.context import AwsDataContext
from aiplatform._shared.outputs import Tags, merged
from aiplatform.model_store.args import ModelStoreSettings

CHECKPOINTS: Final = "checkpoints"
RELEASES: Final = "releases"
LOGS: Final = "logs"


@dataclass(frozen=True)
class Context(AwsDataContext[ModelStoreSettings]):
    """The component, its settings, account and region."""

    name_parts: ClassVar[Mapping[str, str]] = {LOGS: "model-store-logs"}

    def tags(self, purpose: str) -> Tags:
        """Return the tags of a resource. By `purpose` policies know what a bucket contains."""
        stated = super().tags(purpose)
        return merged(stated, {"purpose": purpose}) if purpose in (CHECKPOINTS, RELEASES) else stated

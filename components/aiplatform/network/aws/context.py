"""What the modules of a network on AWS share."""

from dataclasses import dataclass

from aiplatform._shared.aws.account import Account
from aiplatform._shared.context import Context
from aiplatform._shared.outputs import Tags, merged
from aiplatform.network.args import NetworkSettings


@dataclass(frozen=True)
class VpcContext(Context[NetworkSettings]):
    """The component, its settings, and the account and region of its provider."""

    account: Account

    def tags(self, purpose: str, **more: str) -> Tags:
        """Return the tags of a resource, its `Name` included."""
        return merged(self.settings.tags, {"Name": f"{self.settings.prefix}-{purpose}", **more})

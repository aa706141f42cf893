"""What a function has in the cloud, in the same form on each of them."""

from dataclasses import dataclass

from pulumi import Input


@dataclass(frozen=True)
class Deployed:
    """The function in the cloud. An empty text stands for what it does not have."""

    target: Input[str]
    url: Input[str]
    principal: Input[str]
    version: Input[str]
    dead_letters: Input[str]
    logs: Input[str]
    kms_key: Input[str]

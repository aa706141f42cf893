"""What model monitoring needs from the cloud."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input


@dataclass(frozen=True)
class Store:
    """The bucket of requests and reports. kms_key: empty where the cloud's own keys encrypt it. ready: what
    Jobs need before they start."""

    bucket: Input[str]
    kms_key: Input[str]
    ready: Sequence[pulumi.Resource]

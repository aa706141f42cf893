"""The store of logs, on either cloud."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input


@dataclass(frozen=True)
class Store:
    """The store of logs."""

    name: Input[str]
    """The name of the log group, or the id of the log bucket."""
    output: Input[dict[str, Any]]
    """The output of Fluent Bit."""
    resources: list[pulumi.Resource]
    """What Fluent Bit's Pods wait for."""

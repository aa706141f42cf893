"""What observability has in the cloud: the storage of metrics with its alarm, and who reads credentials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import Input


@dataclass(frozen=True)
class Storage:
    """The long-term storage of metrics."""

    workspace_id: Input[str] | None = None
    """AWS: the workspace."""
    url: Input[str] | None = None
    """AWS: its address, with a slash at its end."""
    needed: Sequence[pulumi.Resource] = field(default_factory=list[pulumi.Resource])
    """What Prometheus' Pods wait for: the permission to write."""
    identities: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """AWS: `prometheus` and `grafana` -> the association that gives its Pods their credentials."""


@dataclass(frozen=True)
class SecretReader:
    """Who reads credentials from the cloud's secret manager for the namespace `monitoring`."""

    provider: Mapping[str, Any]
    """The cloud's part of the SecretStore."""
    needed: Sequence[pulumi.Resource]
    """What the SecretStore waits for."""

"""The topics `network` and `images`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from aiplatform.network.args import NetworkSettings
from aiplatform.network.inputs import NetworkArgs
from stacks.settings.base import Topic
from stacks.settings.generated import topic_of

_BY_PLATFORM = ("aws.prefix_delegation", "gcp.project", "gcp.region")


class Network(topic_of(NetworkArgs, NetworkSettings, without=_BY_PLATFORM)):
    """The network."""

    renamed: ClassVar[Mapping[str, str]] = {
        "zones": "zone_count (how many) or zone_ids (which)",
        "flow_logs": "flow_log_retention_days",
    }

    @property
    def zones(self) -> int | list[str]:
        """How many zones, or which."""
        return self.zone_ids if self.zone_ids is not None else self.zone_count

    @property
    def endpoints(self) -> list[str]:
        """AWS: services with an interface endpoint."""
        return self.aws.endpoints


class Images(Topic):
    """Where nodes pull the images of what the program installs."""

    mirrors: dict[str, str] = Field(default_factory=dict)
    """A registry (`registry.k8s.io`), or a repository in it -> the registry or repository to pull from
    instead: an ECR pull-through cache, a remote repository of Artifact Registry, or your own repositories.
    Images keep tag and digest. With `nat: none` nodes reach only the registry of the cloud."""

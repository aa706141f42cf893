"""The topics `network` and `images`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from aiplatform.network.args import NetworkReference, NetworkSettings
from aiplatform.network.inputs import NetworkArgs, NetworkReferenceArgs
from stacks.settings.base import Topic
from stacks.settings.generated import topic_of

_BY_PLATFORM = ("aws.prefix_delegation", "gcp.project", "gcp.region")


_OF_TOPIC = ("cloud", "project", "region", "cidr", "pods_per_node")
"""What the file states elsewhere."""
_READ = {field.name for field in dataclasses.fields(NetworkReference)}
"""What components read of a network; a file states nothing else of it."""


class ExistingNetwork(
    topic_of(
        NetworkReferenceArgs,
        NetworkReference,
        without=(*_OF_TOPIC, *(NetworkReferenceArgs.__annotations__.keys() - _READ)),
        required=("zones",),
    )
):
    """A network that exists."""

    proxies_cidr: str | None = Field(
        default=None,
        description="Google Cloud: the range of the region's proxy-only subnet. Required with a gateway of "
        "GKE's class.",
    )


class Network(topic_of(NetworkArgs, NetworkSettings, without=_BY_PLATFORM)):
    """The network."""

    existing: ExistingNetwork | None = Field(
        default=None,
        description="A network that exists, in place of one that is created: its ids, zones and ranges. Of "
        "the other keys `cidr`, `nat`, `aws.endpoints` and `gcp.pods_per_node` then state what it has. On "
        "Google Cloud it may be one of Shared VPC, in another project than `environment.project_id` "
        "(docs/bring-your-own.md). Default: a network is created.",
    )

    renamed: ClassVar[Mapping[str, str]] = {
        "zones": "zone_count (how many) or zone_ids (which)",
        "flow_logs": "flow_log_retention_days",
    }

    @property
    def zones(self) -> int | list[str]:
        """How many zones, or which."""
        if self.existing is not None:
            return [zone.id for zone in self.existing.zones]
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

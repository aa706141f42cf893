"""What the collectors of logs and traces have in common: their settings, and their cloud identities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pulumi
from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.outputs import Tags, mapped_object
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.naming import IAM_ROLE_PREFIX, KMS_ALIAS, LOG_BUCKET, LOG_GROUP, PhysicalName

LOGS_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-logs")
TRACES_ROLE: Final = PhysicalName(IAM_ROLE_PREFIX, "{prefix}-traces")
LOG_KEY_ALIAS: Final = PhysicalName(KMS_ALIAS, "alias/{prefix}-container-logs")
CONTAINER_LOGS: Final = PhysicalName(LOG_GROUP, "/ai-platform/{prefix}/containers")
"""AWS: the log group of containers."""
CONTAINER_LOG_BUCKET: Final = PhysicalName(LOG_BUCKET, "{prefix}-containers-00000000")
"""Google Cloud: the longest id of the log bucket of containers, which has the suffix of its key."""
NAMES: Final = (LOGS_ROLE, TRACES_ROLE, LOG_KEY_ALIAS, CONTAINER_LOGS, CONTAINER_LOG_BUCKET)
"""The names of what the collectors have in the clouds, for the rule of `prefix`."""


class Settings(Protocol):
    """What the collectors need of the settings of their component."""

    @property
    def prefix(self) -> str:
        """First part of every physical name."""
        ...

    @property
    def cluster(self) -> ClusterReference:
        """The cluster."""
        ...

    @property
    def mirrors(self) -> images.Mirrors:
        """Mirrors of upstream's images."""
        ...

    @property
    def retain_data(self) -> bool:
        """Whether logs and their key stay in the cloud when the component is destroyed."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of every resource on AWS, labels on Google Cloud."""
        ...


def image(settings: Settings, name: str) -> Input[str]:
    """Return an image of `images.toml`, at its mirror if it has one."""
    reference = images.images()[name].reference
    return mapped_object(settings.mirrors, lambda mirrors: images.mirrored(reference, mirrors))


Definitions = Input[Sequence[pulumi.Resource]]
"""What brings the kinds of the Prometheus operator."""


@dataclass(frozen=True)
class Collector:
    """A collector whose Pods call APIs of the cloud."""

    name: str
    """The name of its service account, and of what it has in the cloud."""
    namespace: str
    role: PhysicalName
    """AWS: the name of its role."""
    description: str
    """AWS: the description of its role."""

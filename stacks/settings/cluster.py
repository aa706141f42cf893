"""The topics `cluster`, `cluster_autoscaler` and `karpenter`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import field_validator

from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.inputs import ClusterArgs
from aiplatform.cluster_autoscaler.args import ClusterAutoscalerArgs, ClusterAutoscalerSettings
from aiplatform.karpenter.args import KarpenterArgs, KarpenterSettings
from stacks.settings.generated import stated, topic_of


class Cluster(
    topic_of(
        ClusterArgs,
        ClusterSettings,
        without=("eks.creator_is_admin",),
        required=("api_access", "api_access.mode"),
    )
):
    """The Kubernetes cluster."""

    renamed: ClassVar[Mapping[str, str]] = {"autoscaling": "the topic ai-platform:cluster_autoscaler"}

    @field_validator("api_access", mode="before")
    @classmethod
    def _is_object(cls, value: Any) -> Any:
        if isinstance(value, str):
            # pydantic reports a ValueError as a problem of the key, and lets a TypeError pass.
            raise ValueError(  # noqa: TRY004
                f"got {value!r}; expected an object; did you mean {{mode: {value}}}?"
            )
        return value

    @property
    def in_vpc(self) -> bool:
        """Whether the Kubernetes API is reached only from the network."""
        return self.api_access.mode == "in_vpc"

    @property
    def control_plane(self) -> str:
        """Google Cloud: `regional` or `zonal`."""
        return self.gke.control_plane

    @property
    def multi_networking(self) -> bool | None:
        """Google Cloud: whether Pods may have further network interfaces, or None where no file states it."""
        return stated(self.gke).get("multi_networking")

    @property
    def binary_authorization(self) -> list[str] | None:
        """Google Cloud: patterns of the images that may run, or None where no file states them."""
        return stated(self.gke).get("binary_authorization")


class ClusterAutoscaler(topic_of(ClusterAutoscalerArgs, ClusterAutoscalerSettings, without=("node_groups",))):
    """AWS: the Cluster Autoscaler; GKE has its own."""

    renamed: ClassVar[Mapping[str, str]] = {"scale_down_unneeded_minutes": "scale_down_after_minutes"}


class Karpenter(topic_of(KarpenterArgs, KarpenterSettings, without=("pools", "access_entry"))):
    """AWS: how Karpenter creates and removes the nodes of GPU pools with `node_provisioning: karpenter`."""

"""Arguments of the EFA device plugin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, NotRequired, TypedDict

from aiplatform._args import matches

VERSION: Final = "v0.5.20"
"""Source: the chart aws-efa-k8s-device-plugin v0.5.30 of aws/eks-charts, its appVersion."""

REGISTRIES: Final[Mapping[str, str]] = {
    "af-south-1": "877085696533",
    "ap-east-1": "800184023465",
    "ap-south-2": "900889452093",
    "ap-southeast-3": "296578399912",
    "ap-southeast-4": "491585149902",
    "cn-north-1": "918309763551",
    "cn-northwest-1": "961992271922",
    "us-gov-west-1": "013241004608",
}
"""Region -> the account that EKS's images are in, where it is not the usual one. Source: EKS user guide,
"Amazon container image registries for add-ons". A region that is missing here wants `image`."""
USUAL_REGISTRY: Final = "602401143452"


class EfaPluginArgs(TypedDict):
    """What tells the kubelet of Elastic Fabric Adapters: a Pod asks for `vpc.amazonaws.com/efa`."""

    image: NotRequired[str]
    """The image, with its tag. Default: EKS's own, from the registry of the provider's region."""


def image_in(region: str, dns_suffix: str) -> str:
    """EKS's image in a region's own registry: near, and reached by the VPC endpoints of ECR."""
    account = REGISTRIES.get(region, USUAL_REGISTRY)
    return f"{account}.dkr.ecr.{region}.{dns_suffix}/eks/aws-efa-k8s-device-plugin:{VERSION}"


@dataclass(frozen=True)
class EfaPluginSettings:
    """Checked arguments of the EFA device plugin."""

    image: (
        Annotated[str, matches(r"[^\s@]+:[\w][\w.-]*(@sha256:[0-9a-f]{64})?", "an image with its tag")] | None
    ) = None

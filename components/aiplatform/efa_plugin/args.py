"""Arguments of the EFA device plugin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.args import matches
from aiplatform.efa_plugin.inputs import EfaPluginArgs as EfaPluginArgs

REGISTRIES: Final[Mapping[str, str]] = {
    "af-south-1": "877085696533",
    "ap-east-1": "800184023465",
    "ap-east-2": "533267051163",
    "ap-south-2": "900889452093",
    "ap-southeast-3": "296578399912",
    "ap-southeast-4": "491585149902",
    "ap-southeast-5": "151610086707",
    "ap-southeast-6": "333609536671",
    "ap-southeast-7": "121268973566",
    "ca-west-1": "761377655185",
    "cn-north-1": "918309763551",
    "cn-northwest-1": "961992271922",
    "eu-central-2": "900612956339",
    "eu-south-1": "590381155156",
    "eu-south-2": "455263428931",
    "il-central-1": "066635153087",
    "me-central-1": "759879836304",
    "me-south-1": "558608220178",
    "mx-central-1": "730335286997",
    "us-gov-east-1": "151742754352",
    "us-gov-west-1": "013241004608",
}
"""Region -> the account of EKS's images, where it differs from DEFAULT_REGISTRY: opt-in regions and other
partitions. Source: EKS user guide, "View Amazon container image registries for Amazon EKS add-ons", and
awslabs/amazon-eks-ami, get-ecr-uri.sh. A newer region needs the argument `image`."""
DEFAULT_REGISTRY: Final = "602401143452"


def image_in(region: str, dns_suffix: str) -> str:
    """Return EKS's image in the region's registry, which is close and reachable by the VPC endpoints of
    ECR."""
    image = images.images()["efa-device-plugin"]
    account = REGISTRIES.get(region, DEFAULT_REGISTRY)
    path = image.repository.partition("/")[2]
    return f"{account}.dkr.ecr.{region}.{dns_suffix}/{path}{image.version}"


@dataclass(frozen=True)
class EfaPluginSettings:
    """The EFA device plugin, which advertises Elastic Fabric Adapters to the kubelet: a Pod requests
    `vpc.amazonaws.com/efa`."""

    image: (
        Input[Annotated[str, matches(r"[^\s@]+:[\w][\w.-]*(@sha256:[0-9a-f]{64})?", "an image with its tag")]]
        | None
    ) = None
    """The image, with its tag and preferably its digest. Default: EKS's image, from EKS's registry in the
    provider's region."""

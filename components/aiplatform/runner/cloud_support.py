"""The runner on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a CodeBuild project in the private subnets, on demand",
        gcp=refused("GKE's DNS endpoint is reachable from anywhere and protected by IAM; leave it out"),
    ),
}

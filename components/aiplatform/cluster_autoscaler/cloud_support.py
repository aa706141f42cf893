"""The Cluster Autoscaler on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Cluster Autoscaler, a Deployment with its own Pod Identity",
        gcp=refused("GKE scales node pools itself, within the min and max of the pools; leave it out"),
    ),
}

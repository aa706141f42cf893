"""What the Cluster Autoscaler is on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Cluster Autoscaler, a Deployment with a Pod Identity of its own",
        gcp=refused(
            "GKE scales node pools by itself, within the min and max that the pools say; leave it out"
        ),
    ),
}

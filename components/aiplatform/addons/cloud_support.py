"""The add-ons on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Helm charts on the system nodes of EKS",
        gcp="Helm charts on the system nodes of GKE, without those that GKE has by itself",
    ),
}

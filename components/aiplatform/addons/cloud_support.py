"""The add-ons on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Helm charts on the system nodes of EKS",
        gcp="Helm charts on the system nodes of GKE, without those that GKE has by itself",
    ),
    "interruptions_kms_key": CloudSupport(
        aws="a KMS key that exists",
        gcp=refused("Karpenter runs on AWS only; leave it out"),
    ),
}

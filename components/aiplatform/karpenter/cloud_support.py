"""Karpenter on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="an EC2NodeClass and a NodePool for each entry of a pool's `capacity`",
        gcp=refused(
            "GKE creates nodes itself: by a ComputeClass of the pools, and by node auto-provisioning; leave "
            "it out"
        ),
    ),
}

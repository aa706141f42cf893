"""The EFA plugin on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a DaemonSet that advertises Elastic Fabric Adapters to the kubelet",
        gcp=refused("nodes have GPUDirect networks instead, which GKE advertises itself; leave it out"),
    ),
}

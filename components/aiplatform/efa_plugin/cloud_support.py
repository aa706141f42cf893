"""What the EFA plugin is on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="the DaemonSet that tells the kubelet of Elastic Fabric Adapters",
        gcp=refused("nodes have GPUDirect networks instead, which GKE tells the kubelet of; leave it out"),
    ),
}

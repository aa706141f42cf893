"""The checks of GPUs on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a namespace of the Pod Security level `restricted`, and LocalQueues",
        gcp="a namespace of the level `baseline` (the engine of DCGM is root), and LocalQueues",
    ),
    "fabric": CloudSupport(
        aws=refused("Pods with EFA need nothing of their node; leave it out"),
        gcp="the level `privileged`",
    ),
}

"""What the device plugins are on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a DaemonSet for each kind of card, where the machine image brings none",
        gcp=refused("GKE installs drivers and device plugins as the node pool asks; leave it out"),
    ),
}

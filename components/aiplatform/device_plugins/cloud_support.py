"""The device plugins on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="a DaemonSet for each kind of accelerator, where the machine image includes none",
        gcp=refused("GKE installs drivers and device plugins itself; leave it out"),
    ),
}

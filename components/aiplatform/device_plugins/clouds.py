"""What the device plugins are on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "": On(
        aws="a DaemonSet for each kind of card, where the machine image brings none",
        gcp=refused("GKE installs drivers and device plugins as the node pool asks; leave it out"),
    ),
}

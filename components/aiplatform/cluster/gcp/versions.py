"""Kubernetes' minor versions that GKE's release channels offer.

Source: "GKE release notes", "Current versions", 2026-R39 of 2026-09-17. A version that a channel offers since
then is missing here; `gcloud container get-server-config --flatten=channels` prints all of them.
"""

from collections.abc import Mapping
from typing import Final

CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {
    "rapid": ("1.37", "1.36", "1.35", "1.34"),
    "regular": ("1.36", "1.35", "1.34"),
    "stable": ("1.35", "1.34"),
    "extended": ("1.36", "1.35", "1.34", "1.33", "1.32", "1.31"),
}
"""Channel -> minor versions that a cluster may be created with, the newest first."""


def not_offered(version: str, channel: str) -> str | None:
    """Return why a cluster cannot be created with a version in a channel, or None."""
    offered = CHANNELS[channel]
    if version in offered:
        return None
    others = [other for other, versions in CHANNELS.items() if version in versions]
    reason = f"expected a version that the {channel} channel offers: {', '.join(offered)}"
    return f"{reason}; {' and '.join(others)} offer {version}" if others else reason

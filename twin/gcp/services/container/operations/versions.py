"""Which Kubernetes versions each release channel offers.

Source: "GKE release notes", the table "Current versions" and the list of 2026-R39 of 2026-09-17 (minor
versions of each channel, default versions, auto-upgrade targets, image versions). Not verified: the patches
of the minor versions that are no channel's default or target.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.gcp import services

_VERSION: Final = re.compile(r"(\d+)\.(\d+)(?:\.(\d+)(?:-gke\.(\d+))?)?")


@dataclass(frozen=True)
class Channel:
    """A release channel. versions: what a cluster may be made with, newest first."""

    name: str
    default: str
    target: str
    versions: tuple[str, ...]


CHANNELS: Final = {
    name: Channel(name, **fields) for name, fields in services.tables("container")["channels"].items()
}
UNSPECIFIED: Final = CHANNELS.pop("UNSPECIFIED")
"""What a cluster outside of the channels may have."""
STANDARD_SUPPORT_UNTIL: Final[Mapping[str, str]] = services.tables("container")["standard_support_until"]
NODE_MINORS_BACK: Final = 2
"""How many minor versions a node may be older than its control plane."""
IMAGE_TYPES: Final[tuple[str, ...]] = services.tables("container")["image_types"]


def channel(name: str) -> Channel:
    """A channel by the API's name; clusters without one have UNSPECIFIED's versions."""
    return CHANNELS.get(name, UNSPECIFIED)


def key(version: str) -> tuple[int, int, int, int]:
    """To compare versions by. Raises ValueError for what is none."""
    match = _VERSION.fullmatch(version)
    if not match:
        raise ValueError(f"{version!r} is no GKE version; write it as 1.35, 1.35.7 or 1.35.7-gke.1222000")
    return int(match[1]), int(match[2]), int(match[3] or 0), int(match[4] or 0)


def minor(version: str) -> int:
    """35 of `1.35.7-gke.1222000`."""
    return key(version)[1]


def resolve(requested: str, offered: tuple[str, ...], default: str) -> str | None:
    """The version that an alias means (`1.35`, `1.35.7`, `latest`, `-`, empty); None where none is offered.

    Source: "Specifying cluster version" of the container API (initialClusterVersion).
    """
    if requested in ("", "-"):
        return default
    if requested == "latest":
        return max(offered, key=key)
    if requested in offered:
        return requested
    fits = [version for version in offered if version.startswith((f"{requested}.", f"{requested}-gke."))]
    return max(fits, key=key) if fits else None


def upgrade_info(version: str, channel_name: str) -> dict[str, Any]:
    """What fetchClusterUpgradeInfo answers for the version of a control plane: the newest patch of its minor
    version, the channel's target where that is newer, and the end of standard support.
    """
    of = channel(channel_name)
    patches = [offered for offered in of.versions if minor(offered) == minor(version)]
    answer: dict[str, Any] = {"autoUpgradeStatus": ["ACTIVE"]}
    if patches and key(max(patches, key=key)) > key(version):
        answer["patchTargetVersion"] = max(patches, key=key)
    if minor(of.target) > minor(version):
        answer["minorTargetVersion"] = of.target
    until = STANDARD_SUPPORT_UNTIL.get(str(minor(version)))
    if until:
        answer["endOfStandardSupportTimestamp"] = f"{until}T00:00:00Z"
    return answer


def server_config() -> dict[str, Any]:
    """What getServerConfig answers, the same in every location."""
    newest = sorted({version for c in CHANNELS.values() for version in c.versions}, key=key, reverse=True)
    return {
        "defaultClusterVersion": UNSPECIFIED.default,
        "validMasterVersions": list(UNSPECIFIED.versions),
        "validNodeVersions": [
            version for version in newest if minor(version) <= minor(UNSPECIFIED.versions[0])
        ],
        "defaultImageType": "COS_CONTAINERD",
        "validImageTypes": list(IMAGE_TYPES),
        "channels": [
            {
                "channel": channel.name,
                "defaultVersion": channel.default,
                "validVersions": list(channel.versions),
                "upgradeTargetVersion": channel.target,
            }
            for channel in CHANNELS.values()
        ],
    }

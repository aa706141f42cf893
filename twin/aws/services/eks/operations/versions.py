"""Which Kubernetes versions EKS offers, until when, and which machine images go with them.

Sources. Dates: the EKS user guide's release calendar, "Understand the Kubernetes version lifecycle on EKS"
(1.30 to 1.34 read there; 1.35 and 1.36 in copies of its table). AL2023 releases and their kubelet patches:
1.32 to 1.36 as public configurations of 2026-08 to 2026-10 pin them. Not verified: the patches of 1.30 and
1.31, which version EKS takes by default, the platform versions, the commit in Bottlerocket's release.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from twin.aws.validation import stated


@dataclass(frozen=True)
class Version:
    """A minor version: the days on which EKS released it and on which its support ends."""

    name: str
    patch: str
    platform: str
    """The platform version that a new cluster gets."""
    released: date
    standard_until: date
    extended_until: date

    def status(self, day: date) -> str:
        """STANDARD_SUPPORT, EXTENDED_SUPPORT or UNSUPPORTED."""
        if day <= self.standard_until:
            return "STANDARD_SUPPORT"
        return "EXTENDED_SUPPORT" if day <= self.extended_until else "UNSUPPORTED"


_STATED: Final = stated.read(__name__)
VERSIONS: Final = {name: Version(name, **version) for name, version in _STATED["versions"].items()}
DEFAULT: Final[str] = _STATED["default"]


@dataclass(frozen=True)
class AmiType:
    """A kind of machine image. image: its name's form, with the release or its date alone. device: the vendor
    whose devices it drives."""

    name: str
    image: str
    architecture: str = "x86_64"
    device: str = ""
    bottlerocket: bool = False
    windows: bool = False
    until: str = ""

    def supports(self, version: str) -> bool:
        """Whether there is an image for the version (Amazon Linux 2 ended with 1.32)."""
        return not self.until or minor(version) <= minor(self.until)

    def image_name(self, version: str, release: str) -> str:
        """The name of the image of a release (releases of awslabs/amazon-eks-ami)."""
        return self.image.format(version=version, release=release, date=release.rpartition("-")[2])


AMI_TYPES: Final = {name: AmiType(name, **kind) for name, kind in _STATED["ami_types"].items()}


def minor(version: str) -> int:
    """33 of `1.33`."""
    return int(version.split(".")[1])


def today() -> date:
    """The day by UTC."""
    return datetime.fromtimestamp(time.time(), UTC).date()


def supported(version: str) -> bool:
    """Whether a cluster can be made with the version today."""
    known = VERSIONS.get(version)
    return known is not None and known.status(today()) != "UNSUPPORTED"


def release_version(version: str, ami_type: str) -> str:
    """The newest image release of an AMI type, as EKS writes it: `1.33.13-20260930`, `1.64.0-1a2b3c4d`."""
    if AMI_TYPES[ami_type].bottlerocket:
        return "1.64.0-6f4c2b1e"
    return f"{VERSIONS[version].patch}-20260930"


def release_published(release: str, version: str, ami_type: str) -> bool:
    """Whether a release, the newest or an older one, is of the version and the AMI type."""
    newest = release_version(version, ami_type)
    if AMI_TYPES[ami_type].bottlerocket:
        return bool(_BOTTLEROCKET.fullmatch(release)) and release_order(release) <= release_order(newest)
    match = _AMAZON.fullmatch(release)
    return match is not None and match["minor"] == version and release_order(release) <= release_order(newest)


def release_order(release: str) -> tuple[int, ...]:
    """To compare releases by: by date, of Bottlerocket by version."""
    if _AMAZON.fullmatch(release):
        return (int(release.rpartition("-")[2]),)
    return tuple(int(part) for part in release.partition("-")[0].split("."))


_AMAZON: Final = re.compile(r"(?P<minor>1\.\d+)\.\d+-\d{8}")
_BOTTLEROCKET: Final = re.compile(r"\d+\.\d+\.\d+-[0-9a-f]{8}")


def default_ami_type(architectures: set[str], devices: set[str]) -> str:
    """What EKS chooses for instance types of these architectures and device vendors."""
    arm = architectures == {"arm64"}
    if "nvidia" in devices:
        return "AL2023_ARM_64_NVIDIA" if arm else "AL2023_x86_64_NVIDIA"
    if "neuron" in devices:
        return "AL2023_x86_64_NEURON"
    return "AL2023_ARM_64_STANDARD" if arm else "AL2023_x86_64_STANDARD"

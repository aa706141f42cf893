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


@dataclass(frozen=True)
class Version:
    """A minor version: the days on which EKS released it and on which its support ends."""

    name: str
    patch: str
    released: date
    standard_until: date
    extended_until: date

    def status(self, day: date) -> str:
        """STANDARD_SUPPORT, EXTENDED_SUPPORT or UNSUPPORTED."""
        if day <= self.standard_until:
            return "STANDARD_SUPPORT"
        return "EXTENDED_SUPPORT" if day <= self.extended_until else "UNSUPPORTED"


_D = date
VERSIONS: Final = {
    version.name: version
    for version in (
        Version("1.30", "1.30.14", _D(2024, 5, 23), _D(2025, 7, 23), _D(2026, 7, 23)),
        Version("1.31", "1.31.14", _D(2024, 9, 26), _D(2025, 11, 26), _D(2026, 11, 26)),
        Version("1.32", "1.32.13", _D(2025, 1, 23), _D(2026, 3, 23), _D(2027, 3, 23)),
        Version("1.33", "1.33.13", _D(2025, 5, 29), _D(2026, 7, 29), _D(2027, 7, 29)),
        Version("1.34", "1.34.11", _D(2025, 10, 2), _D(2026, 12, 2), _D(2027, 12, 2)),
        Version("1.35", "1.35.8", _D(2026, 1, 27), _D(2027, 3, 27), _D(2028, 3, 27)),
        Version("1.36", "1.36.4", _D(2026, 6, 2), _D(2027, 8, 2), _D(2028, 8, 2)),
    )
}
DEFAULT: Final = "1.35"
PLATFORM: Final = {"1.30": "eks.58", "1.31": "eks.50", "1.32": "eks.34", "1.33": "eks.27"}


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


def _al2023(name: str, variant: str, architecture: str = "x86_64", device: str = "") -> AmiType:
    return AmiType(
        name,
        f"amazon-eks-node-al2023-{architecture}-{variant}-{{version}}-v{{date}}",
        architecture,
        device,
    )


def _bottlerocket(name: str, variant: str, architecture: str, device: str = "") -> AmiType:
    machine = "aarch64" if architecture == "arm64" else architecture
    text = f"bottlerocket-aws-k8s-{{version}}{variant}-{machine}-v{{release}}"
    return AmiType(name, text, architecture, device, bottlerocket=True)


def _windows(name: str, year: str, kind: str) -> AmiType:
    return AmiType(
        name, f"Windows_Server-{year}-English-{kind}-EKS_Optimized-{{version}}-{{release}}", windows=True
    )


AMI_TYPES: Final = {
    kind.name: kind
    for kind in (
        AmiType("CUSTOM", ""),
        AmiType("AL2_x86_64", "amazon-eks-node-{version}-v{date}", until="1.32"),
        AmiType("AL2_x86_64_GPU", "amazon-eks-gpu-node-{version}-v{date}", device="nvidia", until="1.32"),
        AmiType("AL2_ARM_64", "amazon-eks-arm64-node-{version}-v{date}", "arm64", until="1.32"),
        _al2023("AL2023_x86_64_STANDARD", "standard"),
        _al2023("AL2023_ARM_64_STANDARD", "standard", "arm64"),
        _al2023("AL2023_x86_64_NVIDIA", "nvidia", device="nvidia"),
        _al2023("AL2023_ARM_64_NVIDIA", "nvidia", "arm64", "nvidia"),
        _al2023("AL2023_x86_64_NEURON", "neuron", device="neuron"),
        _bottlerocket("BOTTLEROCKET_x86_64", "", "x86_64"),
        _bottlerocket("BOTTLEROCKET_ARM_64", "", "arm64"),
        _bottlerocket("BOTTLEROCKET_x86_64_FIPS", "-fips", "x86_64"),
        _bottlerocket("BOTTLEROCKET_ARM_64_FIPS", "-fips", "arm64"),
        _bottlerocket("BOTTLEROCKET_x86_64_NVIDIA", "-nvidia", "x86_64", "nvidia"),
        _bottlerocket("BOTTLEROCKET_ARM_64_NVIDIA", "-nvidia", "arm64", "nvidia"),
        _bottlerocket("BOTTLEROCKET_x86_64_NVIDIA_FIPS", "-nvidia-fips", "x86_64", "nvidia"),
        _bottlerocket("BOTTLEROCKET_ARM_64_NVIDIA_FIPS", "-nvidia-fips", "arm64", "nvidia"),
        _windows("WINDOWS_CORE_2019_x86_64", "2019", "Core"),
        _windows("WINDOWS_FULL_2019_x86_64", "2019", "Full"),
        _windows("WINDOWS_CORE_2022_x86_64", "2022", "Core"),
        _windows("WINDOWS_FULL_2022_x86_64", "2022", "Full"),
        _windows("WINDOWS_CORE_2025_x86_64", "2025", "Core"),
        _windows("WINDOWS_FULL_2025_x86_64", "2025", "Full"),
    )
}


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


def platform_version(version: str) -> str:
    """The platform version that a new cluster gets."""
    return PLATFORM.get(version, "eks.13" if version == "1.34" else "eks.3")


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

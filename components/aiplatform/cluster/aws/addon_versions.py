"""Which version of an add-on a cluster has.

One that is not pinned is EKS's default for the Kubernetes version when it is installed, and stays until the
Kubernetes version changes (ADR 0015): EKS changes its defaults at any time, and an unrelated update must not
change the cluster's DNS and network.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import pulumi
from pulumi import Input
from pulumi_aws import eks

from aiplatform._shared.outputs import mapped
from aiplatform.cluster.aws.args import Addon

VERSION_TAG: Final = "ai-platform/kubernetes-version"
"""The tag of an add-on that states which version was chosen for which Kubernetes version,
`1.35=v1.13.2-eksbuild.4`. Both, because the provider writes tags before it updates the add-on: when EKS
refuses the update, the tag names a version that is not the installed one, and the next `up` tries again."""
_ONE_MINOR_AT_A_TIME: Final = "vpc-cni"


class AddonVersions:
    """The add-on versions of a cluster. Requests them from EKS by `options`, before anything is
    registered."""

    def __init__(
        self, cluster: str, kubernetes: str, addons: Mapping[str, Addon], options: pulumi.InvokeOptions
    ) -> None:
        self._cluster = cluster
        self._kubernetes = kubernetes
        self._addons = addons
        self._options = options

    def tag(self, version: Input[str]) -> Input[str]:
        """Return the value of the tag of an add-on that has this version."""
        return mapped(version, lambda known: f"{self._kubernetes}={known}")

    def of(self, addon: str) -> Input[str]:
        """Return the pinned version; else the installed one, if it was chosen for this Kubernetes version;
        else EKS's default, which is tested with it, and not always the newest."""
        pinned = self._addons.get(addon, Addon()).version
        installed = self._installed(addon)
        if pinned:
            version = pinned
        elif installed and (installed.tags or {}).get(VERSION_TAG) == self.tag(installed.addon_version):
            version = installed.addon_version
        else:
            version = eks.get_addon_version(
                addon_name=addon, kubernetes_version=self._kubernetes, opts=self._options
            ).version
        if installed and addon == _ONE_MINOR_AT_A_TIME:
            current = installed.addon_version
            mapped(version, lambda known: _warn_of_skipped_versions(current, known))
        return version

    @cached_property
    def _exists(self) -> bool:
        return self._cluster in eks.get_clusters(opts=self._options).names

    def _installed(self, addon: str) -> eks.GetAddonResult | None:
        if not self._exists:
            return None
        try:
            return eks.get_addon(addon_name=addon, cluster_name=self._cluster, opts=self._options)
        except Exception as error:
            if "ResourceNotFoundException" in str(error) or "couldn't find resource" in str(error):
                return None
            raise


def _warn_of_skipped_versions(installed: str, version: str) -> None:
    """EKS user guide, "Amazon VPC CNI": one minor version at a time."""
    old, new = _minor(installed), _minor(version)
    if old[0] == new[0] and abs(new[1] - old[1]) > 1:
        between = f"v{old[0]}.{old[1] + (1 if new[1] > old[1] else -1)}"
        pulumi.log.warn(
            f"vpc-cni goes from {installed} to {version}, which is more than one minor version: EKS advises "
            f"one at a time, so pin a {between} version first (addons.vpc-cni; `aws eks "
            "describe-addon-versions` lists them)"
        )


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = version.removeprefix("v").split(".")
    return int(major), int(minor)

"""Releases of the machine images of nodes, by which a pool keeps its image and its version of Kubernetes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, got, matches, obeys
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.outputs import mapped

GKE: Final = "gke"
"""The key of GKE's versions, next to the images of EKS."""
RULES: Final[Mapping[str, Rule]] = {
    "al2023": matches(r"1\.\d{2}\.\d+-\d{8}", "a release of the EKS AMI such as 1.35.8-20260930"),
    "bottlerocket": matches(
        r"\d+\.\d+\.\d+-[0-9a-f]{8}", "a release of Bottlerocket such as 1.64.0-6f4c2b1e"
    ),
    GKE: matches(r"1\.\d{2}\.\d+-gke\.\d+", "a version of GKE such as 1.35.6-gke.1250000"),
}
"""Image of EKS, or `gke` -> the form of its releases, as DescribeNodegroup and GKE's API state them."""
_MOST_BEHIND: Final[Mapping[Cloud, int]] = {"aws": 3, "gcp": 2}
"""Minor versions that nodes may be older than the control plane (EKS user guide, "Update existing cluster to
new Kubernetes version"; GKE documentation, "GKE versioning and support")."""
_MINOR: Final = re.compile(r"1\.(\d{2})(?=\.\d+-(?:\d{8}|gke\.\d+)$)")


def kind(cloud: Cloud, image: str) -> str:
    """Return the key of RULES for nodes of a cloud. image: on AWS, `al2023` or `bottlerocket`."""
    return GKE if cloud == "gcp" else image


def problems(
    path: str, release: Input[str] | None, cloud: Cloud, image: str, control_plane: Input[str] | None
) -> Iterator[Problem]:
    """Report a release of another form, or whose version of Kubernetes the control plane does not allow.

    control_plane: its minor version.
    """
    wrong_form = list(obeys(path, release, RULES[kind(cloud, image)])) if release is not None else []
    yield from wrong_form
    if wrong_form or not (isinstance(release, str) and isinstance(control_plane, str)):
        return
    nodes, minor = _MINOR.match(release), control_plane.rpartition(".")[2]
    # A version that is none is reported by the cluster.
    if nodes is None or not minor.isdecimal():
        return
    control = int(minor)
    oldest = control - _MOST_BEHIND[cloud]
    if not oldest <= int(nodes[1]) <= control:
        yield Problem(
            path,
            f"{got(release)}; expected a release of Kubernetes 1.{oldest} to 1.{control}: the control plane "
            f"has {control_plane}",
        )


def kubernetes_version(release: Input[str] | None, control_plane: Input[str] | None) -> Any:
    """Return the minor version of Kubernetes of nodes with this release: its own, or the control plane's
    where the release has none, as Bottlerocket's."""
    if release is None or control_plane is None:
        return control_plane

    def version(known: str) -> Input[str]:
        match = _MINOR.match(known)
        return match[0] if match else control_plane

    return mapped(release, version)

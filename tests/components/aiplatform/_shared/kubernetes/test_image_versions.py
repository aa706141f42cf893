"""Releases of nodes' images: their forms, and which versions of Kubernetes the control plane allows."""

import pytest

from aiplatform._shared.args import UNKNOWN
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.image_versions import kubernetes_version, problems


@pytest.mark.parametrize(
    ("release", "cloud", "image"),
    [
        ("1.35.8-20260930", "aws", "al2023"),
        ("1.32.1-20250101", "aws", "al2023"),
        ("1.64.0-6f4c2b1e", "aws", "bottlerocket"),
        ("1.35.6-gke.1250000", "gcp", "al2023"),
        ("1.33.1-gke.1", "gcp", "al2023"),
        (None, "aws", "al2023"),
        (UNKNOWN, "aws", "al2023"),
    ],
)
def test_a_release_of_a_supported_version_is_accepted(release: str | None, cloud: Cloud, image: str) -> None:
    assert list(problems("image_version", release, cloud, image, "1.35")) == []


@pytest.mark.parametrize(
    ("release", "cloud", "image", "words"),
    [
        ("latest", "aws", "al2023", "expected a release of the EKS AMI such as 1.35.8-20260930"),
        ("v20260930", "aws", "al2023", "a release of the EKS AMI"),
        ("1.64.0-6f4c2b1e", "aws", "al2023", "a release of the EKS AMI"),
        ("1.64.0", "aws", "bottlerocket", "a release of Bottlerocket such as 1.64.0-6f4c2b1e"),
        ("1.35", "gcp", "al2023", "a version of GKE such as 1.35.6-gke.1250000"),
        ("1.35.8-20260930", "gcp", "al2023", "a version of GKE"),
        ("1.36.4-20260930", "aws", "al2023", "expected a release of Kubernetes 1.32 to 1.35: the control"),
        ("1.31.1-20260930", "aws", "al2023", "expected a release of Kubernetes 1.32 to 1.35"),
        ("1.36.2-gke.1346000", "gcp", "al2023", "expected a release of Kubernetes 1.33 to 1.35"),
        ("1.32.2-gke.1", "gcp", "al2023", "expected a release of Kubernetes 1.33 to 1.35"),
    ],
)
def test_a_release_that_the_cloud_would_refuse_is_refused(
    release: str, cloud: Cloud, image: str, words: str
) -> None:
    (problem,) = problems("image_version", release, cloud, image, "1.35")
    assert problem.path == "image_version"
    assert words in problem.reason


def test_a_version_that_is_not_known_yet_is_not_compared() -> None:
    assert list(problems("image_version", "1.36.4-20260930", "aws", "al2023", UNKNOWN)) == []


def test_nodes_have_the_version_of_their_release_or_that_of_the_control_plane() -> None:
    assert kubernetes_version("1.34.11-20260930", "1.36") == "1.34"
    assert kubernetes_version("1.64.0-6f4c2b1e", "1.36") == "1.36", "Bottlerocket's release has none"
    assert kubernetes_version(None, "1.36") == "1.36"

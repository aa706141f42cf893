"""Images and their mirrors."""

import pytest

from aiplatform._images import mirrored, mirrors, registry

OWN = "111122223333.dkr.ecr.us-west-2.amazonaws.com"


def test_the_longest_upstream_that_fits_decides() -> None:
    places = {"nvcr.io": f"{OWN}/nvcr", "nvcr.io/nvidia/k8s-device-plugin": f"{OWN}/plugin"}
    assert mirrored("nvcr.io/nvidia/k8s-device-plugin:v1", places) == f"{OWN}/plugin:v1"
    assert mirrored("nvcr.io/nvidia/cuda:12", places) == f"{OWN}/nvcr/nvidia/cuda:12"


def test_a_registry_is_no_prefix_of_another() -> None:
    assert mirrored("nvcr.io.example/a:1", {"nvcr.io": OWN}) == "nvcr.io.example/a:1"
    assert mirrored("nvcr.io/ab:1", {"nvcr.io/a": OWN}) == "nvcr.io/ab:1", "only whole repositories fit"


def test_the_registry_is_the_host() -> None:
    assert registry("registry.k8s.io/autoscaling/cluster-autoscaler:v1") == "registry.k8s.io"


@pytest.mark.parametrize("place", ["https://nvcr.io", "nvcr.io/", f"{OWN}/a:v1", "UPPER.io", "nvcr"])
def test_what_is_no_registry_is_refused(place: str) -> None:
    assert "without scheme and tag" in (mirrors({"nvcr.io": place}) or "")
    assert mirrors({place: OWN}) is not None

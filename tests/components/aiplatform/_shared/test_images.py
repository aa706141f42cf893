"""Images and their mirrors."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import aiplatform
from aiplatform._shared.images import Image, images, mirrored, mirrors, registry

OWN = "111122223333.dkr.ecr.us-west-2.amazonaws.com"
DIGEST = f"sha256:{'0f' * 32}"


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


@pytest.mark.parametrize("name", images())
def test_every_image_states_a_version_and_where_it_is_from(name: str) -> None:
    image = images()[name]
    assert re.fullmatch(r"[a-z0-9.-]+(/[a-z0-9._-]+)+", image.repository)
    assert re.fullmatch(r"(distroless-)?(v|jax)?\d+\.\d+(\.\d+[\w.-]*|-py3)", image.tag), (
        "a version, no tag that moves"
    )
    assert image.source
    assert bool(image.digest) == bool(image.digest_source), "only a digest with a source is recorded"
    assert re.fullmatch(r"(sha256:[0-9a-f]{64})?", image.digest)


def test_a_reference_has_tag_and_digest() -> None:
    image = Image("quay.io/acme/app", "1.0", "a test")
    assert image.reference == "quay.io/acme/app:1.0"
    assert replace(image, digest=DIGEST).reference == f"quay.io/acme/app:1.0@{DIGEST}"


def test_a_mirror_keeps_tag_and_digest() -> None:
    places = {"quay.io": f"{OWN}/quay", "ghcr.io/acme/app": f"{OWN}/app"}
    assert mirrored(f"quay.io/acme/app:1.0@{DIGEST}", places) == f"{OWN}/quay/acme/app:1.0@{DIGEST}"
    assert mirrored(f"ghcr.io/acme/app@{DIGEST}", places) == f"{OWN}/app@{DIGEST}", "without a tag, too"


def test_no_component_names_an_image_elsewhere() -> None:
    folder = Path(aiplatform.__path__[0])
    repositories = {image.repository.partition("/")[2] for image in images().values()}
    wrong = [
        f"{file.relative_to(folder)}: {repository}"
        for file in folder.rglob("*.py")
        for repository in repositories
        # Examples in docstrings have other versions.
        if re.search(rf'["/]{repository}:(?!v3\.15\.2-full@sha256:\.\.\.)', file.read_text())
    ]
    assert not wrong, "a version or digest in two places is wrong in one of them"

"""Copies of images and charts between registries."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator

import pytest

from cli.images import mirror
from cli.images.registry import INDEXES, MANIFESTS, RegistryError, digest_of
from tests.cli.images.registries import Stored, registry

LAYERS = {"amd64": b"for amd64", "arm64": b"for arm64"}
CONFIG = b"{}"


@pytest.fixture
def source() -> Iterator[Stored]:
    with registry() as stored:
        yield stored


@pytest.fixture
def target() -> Iterator[Stored]:
    with registry() as stored:
        yield stored


def image(stored: Stored, repository: str = "acme/app", tag: str = "v1") -> str:
    """Add an image for two platforms; return the digest of its index."""
    entries: list[dict[str, object]] = []
    for architecture, layer in LAYERS.items():
        for blob in (CONFIG, layer):
            stored.blobs[repository, digest_of(blob)] = blob
        manifest = {
            "schemaVersion": 2,
            "config": {"digest": digest_of(CONFIG), "size": len(CONFIG)},
            "layers": [{"digest": digest_of(layer), "size": len(layer)}],
        }
        digest = stored.add(repository, architecture, MANIFESTS[0], json.dumps(manifest).encode())
        entries.append({"digest": digest, "platform": {"os": "linux", "architecture": architecture}})
    index = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    return stored.add(repository, tag, INDEXES[0], index)


def copy(source: Stored, target: Stored, reference: str) -> int:
    return mirror.copy(source.client, "acme/app", reference, target.client, "mirror/app", "v1")


def test_a_copy_has_all_platforms_and_the_same_digest(source: Stored, target: Stored) -> None:
    digest = image(source)
    size = copy(source, target, digest)
    assert target.client.manifest("mirror/app", "v1").digest == digest, "references by digest stay valid"
    for architecture, layer in LAYERS.items():
        content = source.manifests["acme/app", architecture][1]
        assert target.manifests["mirror/app", digest_of(content)][1] == content
        assert target.blobs["mirror/app", digest_of(layer)] == layer
    assert size == sum(map(len, LAYERS.values())) + 2 * len(CONFIG)


def test_what_the_mirror_has_is_not_uploaded_again(source: Stored, target: Stored) -> None:
    digest = image(source)
    copy(source, target, digest)
    uploads = target.uploads
    copy(source, target, digest)
    assert target.uploads == uploads == 3, "two layers and one configuration"


def test_a_registry_with_logins_gets_a_token_for_pushing(source: Stored, target: Stored) -> None:
    target.token = "a-token"
    copy(source, target, image(source))
    assert set(target.scopes) == {"repository:mirror/app:pull,push"}


def test_content_with_another_digest_is_refused(source: Stored, target: Stored) -> None:
    digest = image(source)
    source.blobs["acme/app", digest_of(LAYERS["arm64"])] = b"something else"
    with pytest.raises(RegistryError, match="its content has sha256:"):
        copy(source, target, digest)
    assert ("mirror/app", "v1") not in target.manifests, "no half copy has the tag"


def test_an_image_that_is_not_there_is_an_error_with_its_address(source: Stored, target: Stored) -> None:
    with pytest.raises(RegistryError, match=r"/v2/acme/app/manifests/v1: 404"):
        copy(source, target, "v1")


def chart() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        text = b"apiVersion: v2\nname: tool\nversion: 1.0.0\n"
        info = tarfile.TarInfo("tool/Chart.yaml")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return file.getvalue()


def test_a_chart_of_a_chart_repository_becomes_an_artifact_of_the_registry(
    source: Stored, target: Stored
) -> None:
    archive = chart()
    source.blobs["charts", digest_of(archive)] = archive
    address = f"http://{source.host}/v2/charts/blobs/{digest_of(archive)}"
    mirror.push_chart(address, digest_of(archive), target.client, "mirror/charts/tool", "1.0.0")
    manifest = target.client.manifest("mirror/charts/tool", "1.0.0").document
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"
    config = json.loads(target.blobs["mirror/charts/tool", manifest["config"]["digest"]])
    assert config == {"apiVersion": "v2", "name": "tool", "version": "1.0.0"}
    (layer,) = manifest["layers"]
    assert target.blobs["mirror/charts/tool", layer["digest"]] == archive


def test_a_chart_with_another_digest_than_the_catalogs_is_refused(source: Stored, target: Stored) -> None:
    archive = chart()
    source.blobs["charts", digest_of(archive)] = archive
    address = f"http://{source.host}/v2/charts/blobs/{digest_of(archive)}"
    with pytest.raises(RegistryError, match="expected sha256:0"):
        mirror.push_chart(address, f"sha256:{'0' * 64}", target.client, "charts/tool", "1.0.0")
    assert not target.manifests

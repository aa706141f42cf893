"""Artifact Registry's registry API, by the client of `aiplatform image push` under its own host name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.images.layouts import Layout
from cli.images.push import Destination, push
from cli.images.registry import Registry, RegistryError, credentials
from tests.cli.images.oci_layouts import write
from twin.gcp.api_server.server import ApiServer
from twin.gcp.credentials import deployer
from twin.tests.gcp.api_servers import PROJECT, REGION, client, enable
from twin.tests.registry_serving import served

HOST = f"{REGION}-docker.pkg.dev"
IMAGE = f"{PROJECT}/acme-prod-training/fine-tune"
NAME = f"projects/{PROJECT}/locations/{REGION}/repositories/acme-prod-training"


@pytest.fixture
def google(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """A Google Cloud with a repository whose tags are immutable, with a `writer` and a `reader`."""
    enable(server, "artifactregistry", "iam")
    repositories = client(server, "artifactregistry").projects().locations().repositories()
    body = {"format": "DOCKER", "dockerConfig": {"immutableTags": True}}
    place = f"projects/{PROJECT}/locations/{REGION}"
    repositories.create(parent=place, repositoryId="acme-prod-training", body=body).execute()
    accounts = client(server, "iam").projects().serviceAccounts()
    for name in ("writer", "reader", "stranger"):
        accounts.create(name=f"projects/{PROJECT}", body={"accountId": name}).execute()
    bindings = [
        {"role": "roles/artifactregistry.writer", "members": [_member("writer")]},
        {"role": "roles/artifactregistry.reader", "members": [_member("reader")]},
    ]
    repositories.setIamPolicy(resource=NAME, body={"policy": {"bindings": bindings}}).execute()
    with served(server, monkeypatch):
        yield server


def _member(name: str) -> str:
    return f"serviceAccount:{name}@{PROJECT}.iam.gserviceaccount.com"


def _registry(google: ApiServer, name: str) -> Registry:
    token = google.identity.token(_member(name))
    return Registry(HOST, lambda _: f"oauth2accesstoken:{token}")


def _to(tag: str, image: str = IMAGE) -> Destination:
    return Destination(HOST, image, tag)


def test_pushed_image_is_pulled_by_its_digest(google: ApiServer, tmp_path: Path) -> None:
    digest = write(tmp_path, architectures=("amd64", "arm64"))
    assert push(Layout(tmp_path), _to("v1"), _registry(google, "writer")) == digest
    reader = _registry(google, "reader")
    for entry in reader.manifest(IMAGE, digest).document["manifests"]:
        for blob, size in reader.manifest(IMAGE, entry["digest"]).blobs:
            assert len(b"".join(reader.blob(IMAGE, blob))) == size


def test_tag_of_an_immutable_repository_keeps_its_image(google: ApiServer, tmp_path: Path) -> None:
    registry = _registry(google, "writer")
    first = write(tmp_path / "first")
    push(Layout(tmp_path / "first"), _to("v1"), registry)
    write(tmp_path / "second", b"other")
    with pytest.raises(RegistryError, match=f"v1 has {first}"):
        push(Layout(tmp_path / "second"), _to("v1"), registry)
    push(Layout(tmp_path / "second"), _to("v2"), registry)
    with pytest.raises(RegistryError, match="has enabled tag immutability"):
        registry.push_manifest(IMAGE, "v1", registry.manifest(IMAGE, "v2"))


def test_only_writers_push_and_only_readers_pull(google: ApiServer, tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(RegistryError, match=r"403.*uploadArtifacts"):
        push(Layout(tmp_path), _to("v1"), _registry(google, "reader"))
    with pytest.raises(RegistryError, match=r"403.*downloadArtifacts"):
        _registry(google, "stranger").manifest(IMAGE, "v1")


def test_access_token_of_the_machine_is_the_login(
    google: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", deployer(google.instance).access_token)
    digest = write(tmp_path / "layout")
    assert push(Layout(tmp_path / "layout"), _to("v1"), Registry(HOST, credentials)) == digest
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.guessed")
    with pytest.raises(RegistryError, match="401"):
        Registry(HOST, credentials).manifest(IMAGE, "v1")


def test_images_are_deleted_with_their_repository(google: ApiServer, tmp_path: Path) -> None:
    registry = _registry(google, "writer")
    write(tmp_path)
    push(Layout(tmp_path), _to("v1"), registry)
    repositories = client(google, "artifactregistry").projects().locations().repositories()
    repositories.delete(name=NAME).execute()
    with pytest.raises(RegistryError, match=r"40[34]"):
        registry.manifest(IMAGE, "v1")


def test_name_without_a_repository_is_refused(google: ApiServer, tmp_path: Path) -> None:
    write(tmp_path)
    for image in (f"{PROJECT}/acme-prod-training", f"{PROJECT}/absent/fine-tune", "other/a/b"):
        with pytest.raises(RegistryError, match="403"):
            push(Layout(tmp_path), _to("v1", image), _registry(google, "writer"))

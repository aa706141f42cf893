"""A push sends what is missing, again where the registry was not available; a tag keeps its image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.images.layouts import Layout
from cli.images.push import ATTEMPTS, Destination, destination, push
from cli.images.registry import Registry, RegistryError, UnavailableError
from cli.output import CommandError
from tests.cli.images.oci_layouts import write
from tests.cli.images.registries import Stored, registry


@pytest.fixture
def stored() -> Iterator[Stored]:
    with registry() as target:
        yield target


def to(stored: Stored) -> Destination:
    return Destination(stored.host, "acme/app", "v1")


def test_image_of_several_platforms_is_pushed_with_all_of_them(stored: Stored, tmp_path: Path) -> None:
    digest = write(tmp_path, architectures=("amd64", "arm64"))
    assert push(Layout(tmp_path), to(stored), stored.client) == digest
    assert stored.client.manifest("acme/app", "v1").digest == digest
    for entry in stored.client.manifest("acme/app", digest).document["manifests"]:
        for blob, _ in stored.client.manifest("acme/app", entry["digest"]).blobs:
            assert ("acme/app", blob) in stored.blobs


def test_pushed_image_is_not_sent_again(stored: Stored, tmp_path: Path) -> None:
    write(tmp_path)
    push(Layout(tmp_path), to(stored), stored.client)
    uploads = stored.uploads
    assert uploads == 2
    push(Layout(tmp_path), to(stored), stored.client)
    assert stored.uploads == uploads


def test_interrupted_push_continues_with_what_is_missing(stored: Stored, tmp_path: Path) -> None:
    write(tmp_path)
    layout = Layout(tmp_path)
    (first, _), *_ = layout.manifest.blobs
    stored.blobs["acme/app", first] = layout.blob(first).read_bytes()
    push(layout, to(stored), stored.client)
    assert stored.uploads == 1


def test_tag_keeps_its_image(stored: Stored, tmp_path: Path) -> None:
    first = write(tmp_path / "first")
    push(Layout(tmp_path / "first"), to(stored), stored.client)
    write(tmp_path / "second", b"other")
    with pytest.raises(RegistryError, match=f"v1 has {first}; expected another tag"):
        push(Layout(tmp_path / "second"), to(stored), stored.client)
    assert stored.client.manifest("acme/app", "v1").digest == first


class Failing(Registry):
    """A registry whose first uploads fail."""

    failures = 0
    kind: type[RegistryError] = UnavailableError

    def push_blob(self, repository: str, digest: str, content: Any) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise self.kind("503 Service Unavailable")
        super().push_blob(repository, digest, content)


def test_push_is_repeated_where_the_registry_is_not_available(stored: Stored, tmp_path: Path) -> None:
    failing = Failing(stored.host, lambda _: "user:password")
    failing.failures = ATTEMPTS - 1
    digest, waits = write(tmp_path), list[float]()
    assert push(Layout(tmp_path), to(stored), failing, waits.append) == digest
    assert waits == [2.0, 4.0, 8.0, 16.0]


def test_push_ends_where_the_registry_refuses_or_stays_away(stored: Stored, tmp_path: Path) -> None:
    write(tmp_path)
    failing, waits = Failing(stored.host, lambda _: "user:password"), list[float]()
    failing.failures = ATTEMPTS
    with pytest.raises(UnavailableError):
        push(Layout(tmp_path), to(stored), failing, waits.append)
    failing.failures, failing.kind = 1, RegistryError
    waits.clear()
    with pytest.raises(RegistryError):
        push(Layout(tmp_path), to(stored), failing, waits.append)
    assert waits == [], "a refusal stays one"


@pytest.mark.parametrize(
    "name",
    [
        "host.example/app",
        "host.example/App:v1",
        "app:v1",
        "host.example/app:",
        "host.example/app@sha256:abc",
        "",
    ],
)
def test_name_that_no_registry_accepts_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="is no name of an image; expected HOST/REPOSITORY:TAG"):
        destination(name)


def test_tag_latest_is_refused() -> None:
    with pytest.raises(CommandError, match="the tag latest is refused in the cluster"):
        destination("host.example/app:latest")
    assert destination("host.example:5000/a/b:v1") == Destination("host.example:5000", "a/b", "v1")

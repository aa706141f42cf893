"""Digests of images: read from a registry on this machine that speaks as the public ones do."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.images.bases import FILE as BASES
from cli.images.registry import INDEXES, MANIFESTS, RegistryError
from tools import image_digests
from tools.image_digests import Registry, update

AMD64 = {"platform": {"os": "linux", "architecture": "amd64"}}
ARM64 = {"platform": {"os": "linux", "architecture": "arm64"}}
INDEX = json.dumps({"schemaVersion": 2, "manifests": [ARM64, AMD64]}).encode()
MANIFEST = json.dumps({"schemaVersion": 2, "layers": []}).encode()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Served:
    """What the registry holds and asks for."""

    host: str = ""
    tags: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    asks_for: str = ""
    """`Bearer`, `Basic` or nothing."""
    moved: bool = False
    """Whether it answers from another path, as registry.k8s.io does."""
    stated: str | None = None
    """A digest that it states in place of the content's."""
    scopes: list[str] = field(default_factory=list[str])

    def image(self, tag: str, content: bytes = INDEX, kind: str = INDEXES[0]) -> str:
        self.tags[tag] = (kind, content)
        return digest(content)


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/token":
                query = parse_qs(parts.query)
                served.scopes += query["scope"]
                assert query["service"] == ["the registry"]
                self._answer(200, "application/json", b'{"token": "a-token"}')
            elif served.moved and not parts.path.startswith("/v2/moved/"):
                self.send_response(307)
                self.send_header("Location", parts.path.replace("/v2/", "/v2/moved/", 1))
                self.end_headers()
            elif served.asks_for and not self._signed_in():
                self._refuse()
            else:
                self._manifest(parts.path.rpartition("/")[2])

        def _signed_in(self) -> bool:
            basic = base64.b64encode(b"AWS:secret").decode()
            return self.headers.get("Authorization") in ("Bearer a-token", f"Basic {basic}")

        def _refuse(self) -> None:
            self.send_response(401)
            realm = f'realm="http://{served.host}/token",service="the registry"'
            scope = ',scope="repository:acme/app:pull"' if served.asks_for == "Bearer" else ""
            self.send_header("WWW-Authenticate", f"{served.asks_for} {realm}{scope}")
            self.end_headers()

        def _manifest(self, tag: str) -> None:
            if tag not in served.tags:
                self._answer(404, "application/json", b"{}")
                return
            kind, content = served.tags[tag]
            assert kind in self.headers["Accept"] or kind == "text/html"
            self._answer(200, kind, content, {"Docker-Content-Digest": served.stated or digest(content)})

        def _answer(self, code: int, kind: str, content: bytes, more: dict[str, str] | None = None) -> None:
            self.send_response(code)
            for name, value in {"Content-Type": kind, **(more or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what pytest shows is the test's."""

    return Handler


@pytest.fixture
def registry() -> Iterator[Served]:
    served = Served()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def ask(served: Served, tag: str = "v1") -> str:
    return Registry(served.host, lambda _: "AWS:secret").digest("acme/app", tag)


@pytest.mark.parametrize("kind", INDEXES)
def test_the_digest_is_that_of_the_index(registry: Served, kind: str) -> None:
    expected = registry.image("v1", kind=kind)
    assert ask(registry) == expected


@pytest.mark.parametrize("kind", MANIFESTS)
def test_an_image_of_one_platform_has_its_manifests_digest(registry: Served, kind: str) -> None:
    expected = registry.image("v1", MANIFEST, kind)
    assert ask(registry) == expected


def test_an_anonymous_token_is_fetched_where_the_registry_asks_for_one(registry: Served) -> None:
    expected = registry.image("v1")
    registry.asks_for = "Bearer"
    assert ask(registry) == expected
    assert registry.scopes == ["repository:acme/app:pull"], "no more than to pull this one"


def test_a_registry_that_redirects_gets_the_token_where_it_was_asked_for(registry: Served) -> None:
    expected = registry.image("v1")
    registry.asks_for, registry.moved = "Bearer", True
    assert ask(registry) == expected


def test_a_registry_without_anonymous_tokens_gets_user_and_password(registry: Served) -> None:
    expected = registry.image("v1")
    registry.asks_for = "Basic"
    assert ask(registry) == expected
    with pytest.raises(RegistryError, match="requires a login"):
        Registry(registry.host).digest("acme/app", "v1")


def test_content_that_has_another_digest_than_is_stated_is_refused(registry: Served) -> None:
    registry.image("v1")
    registry.stated = digest(b"something else")
    with pytest.raises(RegistryError, match="its content has"):
        ask(registry)


def test_an_index_without_the_platform_of_the_nodes_is_refused(registry: Served) -> None:
    registry.image("v1", json.dumps({"manifests": [ARM64]}).encode())
    with pytest.raises(RegistryError, match="no image for linux/amd64"):
        ask(registry)


def test_what_is_no_image_is_refused(registry: Served) -> None:
    registry.image("v1", b"<html>sign in</html>", "text/html")
    with pytest.raises(RegistryError, match="got text/html, expected an index or a manifest"):
        ask(registry)


def test_a_tag_that_is_not_there_and_a_registry_that_is_not_reached_are_reported(registry: Served) -> None:
    with pytest.raises(RegistryError, match="404"):
        ask(registry, "v2")
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:1"):
        Registry("127.0.0.1:1").digest("acme/app", "v1")


@pytest.fixture
def file(tmp_path: Path, registry: Served) -> Path:
    file = tmp_path / "images.toml"
    entry = '[{name}]\n# Why.\nrepository = "{host}/acme/app"\ntag = "{tag}"\nsource = "a test"\n'
    file.write_text("# Head.\n\n" + "\n".join(entry.format(name=n, host=registry.host, tag=n) for n in "ab"))
    return file


def test_missing_digests_are_recorded_and_nothing_else_changes(file: Path, registry: Served) -> None:
    wanted = {name: registry.image(name) for name in "ab"}
    before = file.read_text().splitlines()
    assert list(update(file, write=True)) == []
    read = tomllib.loads(file.read_text())
    assert {name: image["digest"] for name, image in read.items()} == wanted
    assert all(image["digest_source"].startswith("the registry, 20") for image in read.values())
    after = file.read_text().splitlines()
    assert [line for line in after if not line.startswith("digest")] == before, "comments and order stay"
    assert list(update(file, write=True)) == [], "a second run confirms them"
    assert file.read_text().splitlines() == after


def test_a_recorded_digest_is_never_replaced(file: Path, registry: Served) -> None:
    for name in "ab":
        registry.image(name)
    assert list(update(file, write=True)) == []
    recorded = file.read_text()
    now = registry.image("a", MANIFEST, MANIFESTS[0])
    (problem,) = update(file, write=True)
    assert problem == f"a: recorded {digest(INDEX)}, and the tag a has {now} now"
    assert file.read_text() == recorded, "whether a moved tag is wanted is for people to decide"


def test_check_changes_nothing_and_fails_for_what_is_missing(
    file: Path, registry: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_text()
    registry.image("a")
    assert image_digests.main(["--check"], file) == 1
    assert file.read_text() == before
    errors = capsys.readouterr().err
    assert "a: no digest is recorded; the tag a has sha256:" in errors
    assert "b: " in errors, "one that cannot be read does not hide the other"
    assert "404" in errors


def test_what_can_be_read_is_recorded_though_another_cannot(file: Path, registry: Served) -> None:
    registry.image("b")
    assert image_digests.main([], file) == 1
    read = tomllib.loads(file.read_text())
    assert "digest" not in read["a"]
    assert read["b"]["digest"] == digest(INDEX)


def test_bases_of_images_are_recorded_as_images_are(registry: Served, tmp_path: Path) -> None:
    wanted = registry.image("jax0.8.1-rev1")
    text = BASES.read_text()
    table = text[text.index("[jax-tpu]") :].replace(
        "us-docker.pkg.dev/cloud-tpu-images", f"{registry.host}/cloud"
    )
    file = tmp_path / "bases.toml"
    file.write_text(table)
    assert list(update(file, write=True)) == []
    assert tomllib.loads(file.read_text())["jax-tpu"]["digest"] == wanted

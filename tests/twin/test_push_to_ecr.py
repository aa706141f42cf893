"""ECR's registry API, by the client of `aiplatform image push` under the registry's own host name."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.images.layouts import Layout
from cli.images.push import Destination, push
from cli.images.registry import Manifest, Registry, RegistryError
from tests.cli.images.oci_layouts import write
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.iam.test_authorization import allow, document, role, session
from twin.tests.registry_serving import served

REPOSITORY = "acme-prod/training"
PUSH = [
    f"ecr:{action}"
    for action in (
        "BatchCheckLayerAvailability",
        "BatchGetImage",
        "CompleteLayerUpload",
        "GetDownloadUrlForLayer",
        "InitiateLayerUpload",
        "PutImage",
        "UploadLayerPart",
    )
]
Login = Callable[[Clients], Registry]


@pytest.fixture(scope="module")
def roles(clients: Clients) -> dict[str, Clients]:
    """Sessions: `pushes` and `reads` by the policy of the repository, both with the token."""
    ecr = clients("ecr")
    ecr.create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
    token = allow("ecr:GetAuthorizationToken")
    arns = {name: role(clients, f"registry-{name}", token) for name in ("pushes", "reads")}
    policy = document(
        {"Effect": "Allow", "Principal": {"AWS": arns["pushes"]}, "Action": PUSH},
        {"Effect": "Allow", "Principal": {"AWS": arns["reads"]}, "Action": PUSH[:2]},
    )
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=policy)
    return {name: session(clients, arn) for name, arn in arns.items()}


@pytest.fixture
def login(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Iterator[Login]:
    with served(clients.server, monkeypatch):
        yield _registry


def _registry(principal: Clients) -> Registry:
    [data] = principal("ecr").get_authorization_token()["authorizationData"]
    password = base64.b64decode(data["authorizationToken"]).decode()
    return Registry(data["proxyEndpoint"].removeprefix("https://"), lambda _: password)


def _to(registry: Registry, tag: str, repository: str = REPOSITORY) -> Destination:
    return Destination(registry.host, repository, tag)


def test_pushed_image_is_pulled_by_its_digest(
    login: Login, roles: dict[str, Clients], tmp_path: Path
) -> None:
    registry = login(roles["pushes"])
    digest = write(tmp_path, architectures=("amd64", "arm64"))
    assert push(Layout(tmp_path), _to(registry, "v1"), registry) == digest
    index = registry.manifest(REPOSITORY, digest)
    assert index.is_index
    for entry in index.document["manifests"]:
        for blob, size in registry.manifest(REPOSITORY, entry["digest"]).blobs:
            content = b"".join(registry.blob(REPOSITORY, blob))  # which compares the digest
            assert len(content) == size


def test_tag_of_an_immutable_repository_keeps_its_image(
    login: Login, roles: dict[str, Clients], tmp_path: Path
) -> None:
    registry = login(roles["pushes"])
    first = write(tmp_path / "first")
    push(Layout(tmp_path / "first"), _to(registry, "v2"), registry)
    assert push(Layout(tmp_path / "first"), _to(registry, "v2"), registry) == first, "again changes nothing"
    write(tmp_path / "second", b"other")
    with pytest.raises(RegistryError, match=f"v2 has {first}"):
        push(Layout(tmp_path / "second"), _to(registry, "v2"), registry)
    push(Layout(tmp_path / "second"), _to(registry, "v3"), registry)
    manifest = registry.manifest(REPOSITORY, "v3")
    with pytest.raises(RegistryError, match=r"already exists in the 'acme-prod/training' repository"):
        registry.push_manifest(REPOSITORY, "v2", manifest)


def test_reader_cannot_push(login: Login, roles: dict[str, Clients], tmp_path: Path) -> None:
    registry = login(roles["reads"])
    write(tmp_path, b"of a reader")
    with pytest.raises(RegistryError, match=r"403.*not authorized to perform: ecr:InitiateLayerUpload"):
        push(Layout(tmp_path), _to(registry, "v4"), registry)


def test_login_is_required_and_has_to_be_a_token(login: Login, roles: dict[str, Clients]) -> None:
    host = login(roles["reads"]).host
    for password in ("AWS:guessed", "AWS:", "user:cGFzc3dvcmQ6MTphYmM="):
        with pytest.raises(RegistryError, match="401"):
            Registry(host, lambda _, password=password: password).manifest(REPOSITORY, "v1")


def test_manifest_whose_layer_is_absent_is_refused(
    login: Login, roles: dict[str, Clients], tmp_path: Path
) -> None:
    registry = login(roles["pushes"])
    write(tmp_path, b"never sent")
    manifest = Layout(tmp_path).manifest
    with pytest.raises(RegistryError, match=r"404.*referenced layers"):
        registry.push_manifest(REPOSITORY, "v5", manifest)


def test_blob_with_another_digest_is_refused(login: Login, roles: dict[str, Clients]) -> None:
    registry = login(roles["pushes"])
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        registry.push_blob(REPOSITORY, f"sha256:{'0' * 64}", b"content")


def test_absent_repository_is_named(login: Login, clients: Clients, tmp_path: Path) -> None:
    registry = login(clients)
    write(tmp_path)
    with pytest.raises(RegistryError, match=re.escape("'acme-prod/absent' does not exist")):
        push(Layout(tmp_path), _to(registry, "v1", "acme-prod/absent"), registry)


def test_manifest_is_what_its_media_type_says(
    login: Login, roles: dict[str, Clients], tmp_path: Path
) -> None:
    registry = login(roles["pushes"])
    write(tmp_path)
    content = Layout(tmp_path).manifest.content
    with pytest.raises(RegistryError, match="415"):
        registry.push_manifest(REPOSITORY, "v6", Manifest("application/json", content))

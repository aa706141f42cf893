"""Fill a mirror: copy images and charts from their registries into one of yours."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from typing import Any, Final

import requests
import yaml

from cli.images.registry import MANIFESTS, SECONDS, Manifest, Registry, RegistryError, digest_of

_CHART_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
_CHART_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_IN_MEMORY: Final = 64 << 20


def copy(
    source: Registry, repository: str, reference: str, target: Registry, to_repository: str, tag: str
) -> int:
    """Copy an image with all of its platforms, or any other artifact; what the target has is not copied.

    reference: a digest, or a tag where no digest is known. Returns the size of the copied image, in bytes of
    its compressed layers. Raises RegistryError.
    """
    manifest = source.manifest(repository, reference)
    size = _copy(source, repository, manifest, target, to_repository)
    target.push_manifest(to_repository, tag, manifest)
    return size


def _copy(source: Registry, repository: str, manifest: Manifest, target: Registry, to_repository: str) -> int:
    size = 0
    for entry in manifest.document.get("manifests", []):
        platform = source.manifest(repository, str(entry["digest"]))
        size += _copy(source, repository, platform, target, to_repository)
        target.push_manifest(to_repository, platform.digest, platform)
    for digest, length in dict(manifest.blobs).items():
        size += length
        if not target.has_blob(to_repository, digest):
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as content:
                for chunk in source.blob(repository, digest):
                    content.write(chunk)
                content.seek(0)
                target.push_blob(to_repository, digest, content)  # pyright: ignore[reportArgumentType]
    return size


def push_chart(archive: str, digest: str, target: Registry, repository: str, version: str) -> int:
    """Copy a chart of a chart repository into a registry, as `helm push` does. archive: its address. digest:
    `sha256:...` that it has to have; empty where none is known. Returns its size in bytes."""
    try:
        answer = requests.get(archive, timeout=SECONDS)
    except requests.RequestException as error:
        raise RegistryError(f"{archive}: {error}") from error
    if answer.status_code != requests.codes.ok:
        raise RegistryError(f"{archive}: {answer.status_code} {answer.reason}")
    content = answer.content
    if digest and digest_of(content) != digest:
        raise RegistryError(f"{archive}: its content has {digest_of(content)}, expected {digest}")
    config = json.dumps(_chart_file(content)).encode()
    for blob in (config, content):
        if not target.has_blob(repository, digest_of(blob)):
            target.push_blob(repository, digest_of(blob), blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFESTS[0],
        "config": {"mediaType": _CHART_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": _CHART_LAYER, "digest": digest_of(content), "size": len(content)}],
    }
    target.push_manifest(repository, version, Manifest(MANIFESTS[0], json.dumps(manifest).encode()))
    return len(content)


def chart_address(repository: str, name: str, version: str) -> str:
    """Return the address of a chart's archive: what index.yaml of its repository states. Raises
    RegistryError."""
    try:
        answer = requests.get(f"{repository}/index.yaml", timeout=SECONDS)
    except requests.RequestException as error:
        raise RegistryError(f"{repository}: {error}") from error
    if answer.status_code != requests.codes.ok:
        raise RegistryError(f"{answer.url}: {answer.status_code} {answer.reason}")
    index: dict[str, Any] = yaml.load(answer.text, yaml.CSafeLoader)
    for entry in index.get("entries", {}).get(name, []):
        if entry["version"] == version:
            address = str(entry["urls"][0])
            return address if "://" in address else f"{repository}/{address}"
    raise RegistryError(f"{answer.url}: has no {name} {version}")


def _chart_file(archive: bytes) -> dict[str, Any]:
    """Return Chart.yaml of an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            if member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                file = files.extractfile(member)
                assert file is not None  # noqa: S101
                return yaml.load(file.read(), yaml.CSafeLoader)
    raise RegistryError(f"sha256:{hashlib.sha256(archive).hexdigest()} is no chart: it has no Chart.yaml")

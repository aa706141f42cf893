"""OCI image layouts, as builders write them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from cli.images.registry import INDEXES, MANIFESTS, digest_of

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def write(
    folder: Path, content: bytes = b"print('hello')\n", architectures: tuple[str, ...] = ("amd64",)
) -> str:
    """Write a layout with an image of one file, /app/main.py; return the image's digest. With several
    architectures it is an index."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entries = [_image(folder, content, architecture) for architecture in architectures]
    if len(entries) > 1:
        index = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}
        entries = [_blob(folder, INDEXES[0], json.dumps(index).encode())]
    document = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}
    (folder / "index.json").write_text(json.dumps(document))
    return entries[0]["digest"]


def archive(folder: Path, file: Path) -> Path:
    """Write a layout as the tar archive that `docker buildx build --output type=oci` writes."""
    with tarfile.open(file, "w") as archived:
        for member in sorted(folder.rglob("*")):
            archived.add(member, str(member.relative_to(folder)), recursive=False)
    return file


def _image(folder: Path, content: bytes, architecture: str) -> dict[str, Any]:
    plain = _layer(content)
    layer = _blob(folder, LAYER, gzip.compress(plain, mtime=0))
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"User": "1000:1000", "Entrypoint": ["python", "/app/main.py"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFESTS[0],
        "config": _blob(folder, CONFIG, json.dumps(config).encode()),
        "layers": [layer],
    }
    entry = _blob(folder, MANIFESTS[0], json.dumps(manifest).encode())
    return {**entry, "platform": {"os": "linux", "architecture": architecture}}


def _layer(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as files:
        member = tarfile.TarInfo("app/main.py")
        member.size = len(content)
        files.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _blob(folder: Path, kind: str, content: bytes) -> dict[str, Any]:
    digest = digest_of(content)
    (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).write_bytes(content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}

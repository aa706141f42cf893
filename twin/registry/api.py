"""Requests of the registry API, as methods of what stores the images.

Sources: OCI Distribution Specification 1.1, "Push" and "Pull" and its error codes. What only one cloud
refuses, it refuses itself: as RegistryError.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from twin.web import Answer

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_NAME: Final = r"(?P<name>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_UPLOADS: Final = re.compile(rf"/v2/{_NAME}/blobs/uploads/")
_UPLOAD: Final = re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[A-Za-z0-9-]+)")
_BLOB: Final = re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>[^/]+)")
_MANIFEST: Final = re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)")


class RegistryError(Exception):
    """A request that a registry refuses, with a code of the specification."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class StoredManifest:
    """A manifest or an index. kind: its media type."""

    kind: str
    content: bytes

    @property
    def digest(self) -> str:
        """Its digest."""
        return digest_of(self.content)


class Store(Protocol):
    """The repositories of a registry, for one caller. Its methods raise RegistryError."""

    def begin(self, name: str) -> str:
        """Begin the upload of a blob; return the upload's id."""
        ...

    def append(self, name: str, upload: str, content: bytes) -> int:
        """Add bytes to an upload; return how many it has."""
        ...

    def received(self, name: str, upload: str) -> int:
        """Return how many bytes an upload has."""
        ...

    def complete(self, name: str, upload: str, digest: str) -> None:
        """Make a blob of an upload, whose content has this digest."""
        ...

    def blob(self, name: str, digest: str) -> bytes | None:
        """Return a blob."""
        ...

    def size(self, name: str, digest: str) -> int | None:
        """Return the size of a blob."""
        ...

    def manifest(self, name: str, reference: str) -> StoredManifest | None:
        """Return a manifest by its tag or digest."""
        ...

    def put_manifest(self, name: str, reference: str, manifest: StoredManifest) -> None:
        """Store a manifest by its tag or digest."""
        ...


def digest_of(content: bytes) -> str:
    """Return the digest of some content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def references(manifest: StoredManifest) -> tuple[list[str], list[str]]:
    """Return the digests of the blobs and of the manifests that a manifest names. Raises RegistryError for
    one that is none."""
    try:
        document: dict[str, Any] = json.loads(manifest.content)
        if manifest.kind in INDEXES:
            return [], [entry["digest"] for entry in document["manifests"]]
        return [entry["digest"] for entry in (document["config"], *document["layers"])], []
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {error}") from error


def answer(store: Store, environ: dict[str, Any], body: bytes) -> Answer:
    """Answer a request to `/v2/` of an authenticated caller."""
    try:
        return _answer(store, environ, body)
    except RegistryError as error:
        return refused(error)


def refused(error: RegistryError, *headers: tuple[str, str]) -> Answer:
    """Return a refusal in the form of the specification."""
    document = {"errors": [{"code": error.code, "message": str(error)}]}
    return Answer(
        error.status, [("Content-Type", "application/json"), *headers], json.dumps(document).encode()
    )


def _answer(store: Store, environ: dict[str, Any], body: bytes) -> Answer:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if path == "/v2/":
        return Answer(200, [("Content-Type", "application/json")], b"{}")
    if (match := _UPLOADS.fullmatch(path)) and method == "POST":
        # No blob is mounted: a registry may begin an upload in place of it.
        return _uploading(match["name"], store.begin(match["name"]), 0)
    if match := _UPLOAD.fullmatch(path):
        return _upload(store, environ, match["name"], match["upload"], body)
    if (match := _BLOB.fullmatch(path)) and method in ("GET", "HEAD"):
        return _blob(store, method, match["name"], _digest(match["digest"]))
    if match := _MANIFEST.fullmatch(path):
        if method in ("GET", "HEAD"):
            return _get_manifest(store, match["name"], match["reference"])
        if method == "PUT":
            return _put_manifest(store, environ, match["name"], match["reference"], body)
    raise RegistryError(404, "UNSUPPORTED", f"{method} {path} is not supported")


def _upload(store: Store, environ: dict[str, Any], name: str, upload: str, body: bytes) -> Answer:
    method = environ["REQUEST_METHOD"]
    if method == "GET":
        answer = _uploading(name, upload, store.received(name, upload))
        return Answer(204, answer.headers, b"")
    stated = environ.get("HTTP_CONTENT_RANGE", "")
    if stated and stated.partition("-")[0] != str(store.received(name, upload)):
        raise RegistryError(416, "BLOB_UPLOAD_INVALID", f"the range {stated} does not follow what is there")
    if method == "PATCH":
        return _uploading(name, upload, store.append(name, upload, body))
    if method != "PUT":
        raise RegistryError(405, "UNSUPPORTED", f"{method} of an upload is not supported")
    digest = _digest(parse_qs(environ.get("QUERY_STRING", "")).get("digest", [""])[0])
    if body:
        store.append(name, upload, body)
    store.complete(name, upload, digest)
    place = f"/v2/{name}/blobs/{digest}"
    return Answer(201, [("Location", place), ("Docker-Content-Digest", digest)], b"")


def _uploading(name: str, upload: str, received: int) -> Answer:
    headers = [
        ("Location", f"/v2/{name}/blobs/uploads/{upload}"),
        ("Docker-Upload-UUID", upload),
        ("Range", f"0-{max(received - 1, 0)}"),
    ]
    return Answer(202, headers, b"")


def _blob(store: Store, method: str, name: str, digest: str) -> Answer:
    if method == "HEAD":
        size = store.size(name, digest)
        content = b"" if size is not None else None
    else:
        content = store.blob(name, digest)
        size = len(content or b"")
    if content is None:
        raise RegistryError(404, "BLOB_UNKNOWN", f"blob {digest} is not in {name}")
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", digest),
        ("Content-Length", str(size)),
    ]
    return Answer(200, headers, content)


def _get_manifest(store: Store, name: str, reference: str) -> Answer:
    manifest = store.manifest(name, _reference(reference))
    if manifest is None:
        raise RegistryError(404, "MANIFEST_UNKNOWN", f"manifest {reference} is not in {name}")
    headers = [("Content-Type", manifest.kind), ("Docker-Content-Digest", manifest.digest)]
    return Answer(200, [*headers, ("Content-Length", str(len(manifest.content)))], manifest.content)


def _put_manifest(store: Store, environ: dict[str, Any], name: str, reference: str, body: bytes) -> Answer:
    manifest = StoredManifest(environ.get("CONTENT_TYPE", "").partition(";")[0], body)
    if manifest.kind not in (*INDEXES, *MANIFESTS):
        raise RegistryError(415, "MANIFEST_INVALID", f"media type {manifest.kind!r} is not supported")
    stated = json.loads(body).get("mediaType", manifest.kind) if body.startswith(b"{") else None
    if stated != manifest.kind:
        raise RegistryError(400, "MANIFEST_INVALID", f"its mediaType is {stated!r}, sent as {manifest.kind}")
    if _DIGEST.fullmatch(_reference(reference)) and reference != manifest.digest:
        raise RegistryError(400, "DIGEST_INVALID", f"{reference} is not the digest of the manifest")
    store.put_manifest(name, reference, manifest)
    place = f"/v2/{name}/manifests/{manifest.digest}"
    return Answer(201, [("Location", place), ("Docker-Content-Digest", manifest.digest)], b"")


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise RegistryError(400, "DIGEST_INVALID", f"{text!r} is no digest of sha256")
    return text


def _reference(text: str) -> str:
    if not _DIGEST.fullmatch(text) and not _TAG.fullmatch(text):
        raise RegistryError(400, "TAG_INVALID", f"{text!r} is neither a tag nor a digest")
    return text

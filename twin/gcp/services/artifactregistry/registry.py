"""Artifact Registry by the registry API, `REGION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE`.

Sources: Artifact Registry, "Configure authentication to Artifact Registry for Docker" (an access token as the
password of oauth2accesstoken), "Access control with IAM" (permissions), "Manage repositories: Immutable image
tags".
"""

from __future__ import annotations

import base64
import json
import logging
import re
import uuid
from typing import Any, Final

from twin.gcp.api_server.state import Body
from twin.registry import api
from twin.registry.api import RegistryError, StoredManifest
from twin.registry.blobs import Blobs
from twin.web import Answer

LOG = logging.getLogger(__name__)
_HOST: Final = re.compile(r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev")
_TOKEN: Final = "/v2/token"  # noqa: S105 - a path
_READ: Final = "artifactregistry.repositories.downloadArtifacts"
_WRITE: Final = "artifactregistry.repositories.uploadArtifacts"


class ArtifactRegistry:
    """The registry API of one API server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._blobs = Blobs(server.instance.folder / "gcp" / "layers")

    def serves(self, environ: dict[str, Any]) -> bool:
        """Return whether a request is for this API."""
        return bool(_HOST.fullmatch(_name(environ))) and environ.get("PATH_INFO", "").startswith("/v2/")

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        """Answer a request."""
        try:
            member = self._member(environ.get("HTTP_AUTHORIZATION", ""))
            if environ["PATH_INFO"] == _TOKEN:
                document = {"token": self._server.identity.token(member)}
                return Answer(200, [("Content-Type", "application/json")], json.dumps(document).encode())
            store = _Store(self._server, member, self._location(environ), self._blobs)
            with self._server.state.transaction():
                return api.answer(store, environ, body)
        except RegistryError as error:
            realm = f'Bearer realm="https://{_name(environ)}{_TOKEN}",service="{_name(environ)}"'
            return api.refused(error, *((("WWW-Authenticate", realm),) if error.status == 401 else ()))
        except Exception:
            # A defect of the twin: the log has the cause.
            LOG.exception("%s %s failed in the twin", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return api.refused(RegistryError(501, "UNKNOWN", "failed in the twin itself; see its log"))

    @staticmethod
    def _location(environ: dict[str, Any]) -> str:
        match = _HOST.fullmatch(_name(environ))
        assert match is not None  # noqa: S101 - as `serves` has checked
        return match["location"]

    def _member(self, authorization: str) -> str:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, token = base64.b64decode(token).decode().partition(":")
            except ValueError:
                user = ""
            token = token if user == "oauth2accesstoken" else ""
        elif scheme.lower() != "bearer":
            token = ""
        member = self._server.identity.authenticate(token) if token else None
        if member is None:
            raise RegistryError(401, "UNAUTHORIZED", "authentication failed: an access token is required")
        return member


class _Store:
    """The repositories of a location, as one member may use them. What is in a repository is kept with it, so
    that it is deleted with it."""

    def __init__(self, server: Any, member: str, location: str, blobs: Blobs) -> None:
        self._server = server
        self._member = member
        self._location = location
        self._blobs = blobs

    def begin(self, name: str) -> str:
        row, internal = self._repository(name, _WRITE)
        upload = str(uuid.uuid4())
        internal.setdefault("uploads", {})[upload] = ""
        self._server.state.keep(row, internal)
        return upload

    def append(self, name: str, upload: str, content: bytes) -> int:
        row, internal = self._repository(name, _WRITE)
        whole = self._part(internal, name, upload) + content
        self._blobs.put(whole)
        internal["uploads"][upload] = api.digest_of(whole)
        self._server.state.keep(row, internal)
        return len(whole)

    def received(self, name: str, upload: str) -> int:
        return len(self._part(self._repository(name, _WRITE)[1], name, upload))

    def complete(self, name: str, upload: str, digest: str) -> None:
        row, internal = self._repository(name, _WRITE)
        content = self._part(internal, name, upload)
        if api.digest_of(content) != digest:
            raise RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self._blobs.put(content)
        del internal["uploads"][upload]
        internal.setdefault("blobs", {})[digest] = len(content)
        self._server.state.keep(row, internal)

    def blob(self, name: str, digest: str) -> bytes | None:
        known = digest in self._repository(name, _READ)[1].get("blobs", {})
        return self._blobs.get(digest) if known else None

    def size(self, name: str, digest: str) -> int | None:
        return self._repository(name, _READ)[1].get("blobs", {}).get(digest)

    def manifest(self, name: str, reference: str) -> StoredManifest | None:
        image = self._image(self._repository(name, _READ)[1], name)
        digest = image.get("tags", {}).get(reference, reference)
        kind = image.get("manifests", {}).get(digest)
        content = self._blobs.get(digest) if kind else None
        return None if content is None else StoredManifest(kind, content)

    def put_manifest(self, name: str, reference: str, manifest: StoredManifest) -> None:
        row, internal = self._repository(name, _WRITE)
        image = internal.setdefault("images", {}).setdefault(name, {"tags": {}, "manifests": {}})
        blobs, manifests = api.references(manifest)
        for digest in blobs:
            if digest not in internal.get("blobs", {}):
                raise RegistryError(404, "MANIFEST_BLOB_UNKNOWN", f"blob {digest} is unknown to {name}")
        for digest in manifests:
            if digest not in image["manifests"]:
                raise RegistryError(404, "MANIFEST_UNKNOWN", f"manifest {digest} is unknown to {name}")
        if not reference.startswith("sha256:"):
            self._check_tag(row, image, reference, manifest)
            image["tags"][reference] = manifest.digest
        self._blobs.put(manifest.content)
        image["manifests"][manifest.digest] = manifest.kind
        self._server.state.keep(row, internal)

    def _check_tag(self, row: str, image: Body, tag: str, manifest: StoredManifest) -> None:
        docker: Body = self._server.state.get(row).get("dockerConfig") or {}
        if docker.get("immutableTags") and image["tags"].get(tag, manifest.digest) != manifest.digest:
            raise RegistryError(
                400,
                "MANIFEST_INVALID",
                f"cannot update tag {tag}. The repository has enabled tag immutability",
            )

    def _repository(self, name: str, permission: str) -> tuple[str, Body]:
        """Return a repository's row and what is kept with it, where the member has the permission."""
        project, repository, *image = name.split("/", 2)[:3] if name.count("/") > 1 else (name, "", "")
        row = f"artifactregistry/projects/{project}/locations/{self._location}/repositories/{repository}"
        denied = RegistryError(
            403,
            "DENIED",
            f'Permission "{permission}" denied on resource "{row.partition("/")[2]}" (or it may not exist)',
        )
        if not image or not image[0] or project != self._server.instance.account:
            raise denied
        identity = self._server.identity
        owner = self._member == identity.deployer or "roles/owner" in identity.roles(self._member)
        if not owner and not any(identity.allowed(self._member, permission, place) for place in ("", row)):
            raise denied
        body = self._server.state.get(row)
        if body is None:
            raise RegistryError(404, "NAME_UNKNOWN", f'Repository "{repository}" not found')
        if body["format"] != "DOCKER" or body["mode"] != "STANDARD_REPOSITORY":
            raise RegistryError(400, "NAME_INVALID", f'Repository "{repository}" takes no images')
        return row, self._server.state.internal(row)

    @staticmethod
    def _image(internal: Body, name: str) -> Body:
        return internal.get("images", {}).get(name, {})

    def _part(self, internal: Body, name: str, upload: str) -> bytes:
        digest = internal.get("uploads", {}).get(upload)
        if digest is None:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", f"upload {upload} is not in {name}")
        return (self._blobs.get(digest) or b"") if digest else b""


def _name(environ: dict[str, Any]) -> str:
    return str(environ.get("HTTP_HOST", "")).partition(":")[0]

"""ECR by the registry API, `ACCOUNT.dkr.ecr.REGION.amazonaws.com`.

Each request becomes the calls of ECR's API that it is for, made in the name of the principal that got the
token: IAM and the policies of repositories decide on those (ECR user guide, "Private registry authentication"
and "Required IAM permissions for pushing an image").
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import time
from datetime import UTC, datetime
from typing import Any, Final

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.registry import api
from twin.registry.api import RegistryError, StoredManifest
from twin.registry.blobs import Blobs

LOG = logging.getLogger(__name__)
_HOST: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
LIFE: Final = 12 * 3600
"""Seconds that a token is valid, or until the credentials that got it expire."""
_PART: Final = 10 << 20
"""Bytes of a part; ECR accepts 20 MiB."""
_CODES: Final = {
    "AccessDeniedException": (403, "DENIED"),
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
    "LayersNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
}


class EcrRegistry:
    """The registry API of one API server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._blobs = Blobs(server.instance.folder / "aws" / "layers")

    def serves(self, environ: dict[str, Any]) -> bool:
        """Return whether a request is for this API."""
        return bool(_host(environ)) and environ.get("PATH_INFO", "").startswith("/v2/")

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Answer a request."""
        call = Call.of(environ)
        try:
            access_key, region = self._caller(call)
            store = _Store(self._server, Inside(self._server, access_key, region), region, self._blobs)
            return api.answer(store, call.environ, call.body)
        except RegistryError as error:
            headers = [
                ("WWW-Authenticate", f'Basic realm="https://{_name(environ)}/",service="ecr.amazonaws.com"')
            ]
            return api.refused(error, *(headers if error.status == 401 else ()))
        except Exception:
            # A defect of the twin: the log has the cause.
            LOG.exception("%s %s failed in the twin", call.method, call.path)
            return api.refused(RegistryError(501, "UNKNOWN", "failed in the twin itself; see its log"))

    def token(self, call: Call) -> Answer | None:
        """Answer GetAuthorizationToken with a token of the caller."""
        if (call.service, call.operation) != ("ecr", "GetAuthorizationToken"):
            return None
        expires = int(time.time()) + LIFE
        text = f"{call.access_key}:{expires}"
        password = base64.urlsafe_b64encode(f"{text}:{self._seal(call.access_key, text)}".encode()).decode()
        account = self._server.instance.account
        document = {
            "authorizationData": [
                {
                    "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
                    "expiresAt": datetime.fromtimestamp(expires, UTC).timestamp(),
                    "proxyEndpoint": f"https://{account}.dkr.ecr.{call.region}.amazonaws.com",
                }
            ]
        }
        return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(document).encode())

    def _caller(self, call: Call) -> tuple[str, str]:
        """Return the access key whose token a request has, and the region that it asks."""
        host = _host(call.environ)
        assert host is not None  # noqa: S101 - as `serves` has checked
        scheme, _, text = call.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "basic":
            raise RegistryError(401, "UNAUTHORIZED", "no basic auth credentials")
        try:
            user, _, password = base64.b64decode(text).decode().partition(":")
            access_key, expires, seal = base64.urlsafe_b64decode(password).decode().split(":")
            valid = user == "AWS" and int(expires) > time.time()
        except ValueError as error:
            raise RegistryError(401, "UNAUTHORIZED", "authentication token is invalid") from error
        valid = valid and hmac.compare_digest(seal, self._seal(access_key, f"{access_key}:{expires}"))
        if not valid or host["account"] != self._server.instance.account:
            raise RegistryError(401, "UNAUTHORIZED", "Your authorization token has expired. Reauthenticate.")
        return access_key, host["region"]

    def _seal(self, access_key: str, text: str) -> str:
        secret = self._server.identity.secret(access_key) or ""
        if not secret:
            return ""
        return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class _Store:
    """The repositories of a region, as one principal may use them."""

    def __init__(self, server: Any, inside: Inside, region: str, blobs: Blobs) -> None:
        self._server = server
        self._inside = inside
        self._region = region
        self._blobs = blobs

    def begin(self, name: str) -> str:
        return str(self._call("initiate_layer_upload", repositoryName=name)["uploadId"])

    def append(self, name: str, upload: str, content: bytes) -> int:
        for start in range(0, len(content), _PART):
            part, first = content[start : start + _PART], self.received(name, upload)
            self._call(
                "upload_layer_part",
                repositoryName=name,
                uploadId=upload,
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
        return self.received(name, upload)

    def received(self, name: str, upload: str) -> int:
        return len(self._parts(name, upload))

    def complete(self, name: str, upload: str, digest: str) -> None:
        content = self._parts(name, upload)
        if api.digest_of(content) != digest:
            raise RegistryError(400, "DIGEST_INVALID", "The layer digest is not that of the uploaded bytes")
        self._call("complete_layer_upload", repositoryName=name, uploadId=upload, layerDigests=[digest])
        self._blobs.put(content)

    def blob(self, name: str, digest: str) -> bytes | None:
        try:
            self._call("get_download_url_for_layer", repositoryName=name, layerDigest=digest)
        except RegistryError as error:
            if error.code == "MANIFEST_BLOB_UNKNOWN":
                return None
            raise
        return self._blobs.get(digest)

    def size(self, name: str, digest: str) -> int | None:
        response = self._call("batch_check_layer_availability", repositoryName=name, layerDigests=[digest])
        return next((int(layer["layerSize"]) for layer in response["layers"]), None)

    def manifest(self, name: str, reference: str) -> StoredManifest | None:
        kind = "imageDigest" if reference.startswith("sha256:") else "imageTag"
        response = self._call("batch_get_image", repositoryName=name, imageIds=[{kind: reference}])
        for image in response["images"]:
            return StoredManifest(image["imageManifestMediaType"], image["imageManifest"].encode())
        return None

    def put_manifest(self, name: str, reference: str, manifest: StoredManifest) -> None:
        tag = {} if reference.startswith("sha256:") else {"imageTag": reference}
        try:
            self._inside.call(
                "ecr",
                "put_image",
                repositoryName=name,
                imageManifest=manifest.content.decode(),
                imageManifestMediaType=manifest.kind,
                imageDigest=manifest.digest,
                **tag,
            )
        except Refusal as error:
            if error.code != "ImageAlreadyExistsException":
                raise _refused(error) from error

    def _parts(self, name: str, upload: str) -> bytes:
        with self._server.moto.lock:
            repository: Any = self._server.moto.backend("ecr", self._region).repositories.get(name)
            begun: Any = repository.uploads.get(upload) if repository is not None else None
            if begun is None:
                raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", f"upload {upload} is not in {name}")
            return bytes(begun.layer_parts)

    def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        try:
            return self._inside.call("ecr", operation, **params)
        except Refusal as error:
            raise _refused(error) from error


def _refused(error: Refusal) -> RegistryError:
    status, code = _CODES.get(error.code, (400, "UNKNOWN"))
    return RegistryError(status, code, error.message)


def _name(environ: dict[str, Any]) -> str:
    return str(environ.get("HTTP_HOST", "")).partition(":")[0]


def _host(environ: dict[str, Any]) -> re.Match[str] | None:
    return _HOST.fullmatch(_name(environ))

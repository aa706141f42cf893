"""A client of container registries: pull and push by the OCI Distribution Specification."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import urljoin

import requests
from requests.utils import parse_dict_header

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
SECONDS: Final = 30
_STORING_SECONDS: Final = 600
"""How long a registry may take to store a blob after its last byte."""
# Of a region, as the environments' own. Public images are in multi-regions, and need no login.
_GOOGLE: Final = re.compile(r"[a-z]+-[a-z]+\d+-docker\.pkg\.dev")
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = 500
_ECR: Final = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_LOCAL: Final = re.compile(r"(?:localhost|127\.0\.0\.1)(?::\d+)?")
_CHUNK: Final = 1 << 20


class RegistryError(Exception):
    """A registry that refuses a request, or content with another digest than it has to have."""


class UnavailableError(RegistryError):
    """A registry that cannot be reached, or cannot answer now: the same request may succeed later."""


Credentials = Callable[[str], str]
"""A registry's host -> `user:password`. Raises RegistryError where none are known."""


def credentials(host: str) -> str:
    """Return user and password of a registry: those of `docker login`, or a token that expires, of ECR by the
    AWS credentials of this machine, of Artifact Registry by Google's application default credentials."""
    stored = _docker_login(host)
    if stored is not None:
        return stored
    if _GOOGLE.fullmatch(host):
        return f"oauth2accesstoken:{_google_token()}"
    matched = _ECR.fullmatch(host)
    if matched is None:
        raise RegistryError(f"{host} requires a login; log in with `docker login {host}`")
    import boto3  # takes half a second to import, and most registries do without it
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client: Any = boto3.client("ecr", region_name=matched[1])  # pyright: ignore[reportUnknownMemberType]
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise RegistryError(f"no AWS credentials for ECR: {error}") from error
    return base64.b64decode(token).decode()


def _google_token() -> str:
    # An access token is the password (Artifact Registry, "Configure authentication to Artifact Registry for
    # Docker"). The variable is that of the provider.
    if os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):
        return os.environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        default: Any = google.auth.default(  # pyright: ignore[reportUnknownMemberType]
            scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
        default[0].refresh(Request())
    except GoogleAuthError as error:
        raise RegistryError(f"no credentials of Google Cloud: {error}") from error
    return str(default[0].token)


def _docker_login(host: str) -> str | None:
    """Return what `docker login` stored, in its file or by its helper for a registry."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
    if helper:
        answer = subprocess.run(
            [f"docker-credential-{helper}", "get"], input=host, capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            login = json.loads(answer.stdout)
            return f"{login['Username']}:{login['Secret']}"
    auth = ((config.get("auths") or {}).get(host) or {}).get("auth")
    return base64.b64decode(auth).decode() if auth else None


def digest_of(content: bytes) -> str:
    """Return the digest of some content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, as the registry stores it."""

    kind: str
    """Its media type."""
    content: bytes

    @property
    def digest(self) -> str:
        """Its digest, computed from the content."""
        return digest_of(self.content)

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests of several platforms."""
        return self.kind in INDEXES

    @property
    def document(self) -> dict[str, Any]:
        """Its content."""
        return cast("dict[str, Any]", json.loads(self.content))

    @property
    def blobs(self) -> list[tuple[str, int]]:
        """Digest and size of configuration and layers; none of an index."""
        document = self.document
        entries = [document["config"], *document["layers"]] if "layers" in document else []
        return [(str(entry["digest"]), int(entry.get("size", 0))) for entry in entries]


@dataclass
class Registry:
    """A registry, and a login to it where it requires one."""

    host: str
    credentials: Credentials = credentials
    _tokens: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def _url(self) -> str:
        # Docker, containerd and crane use plain HTTP for this machine only, too.
        return f"{'http' if _LOCAL.fullmatch(self.host) else 'https'}://{self.host}/v2/"

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Return a manifest or an index. reference: a tag or a digest."""
        accept = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        answer = self._request("GET", repository, f"manifests/{reference}", headers=accept)
        _expect(answer, requests.codes.ok)
        manifest = Manifest(answer.headers.get("Content-Type", "").partition(";")[0], answer.content)
        stated = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stated != manifest.digest:
            raise RegistryError(f"the registry states {stated}, and its content has {manifest.digest}")
        if reference.startswith("sha256:") and reference != manifest.digest:
            raise RegistryError(f"{answer.url}: its content has {manifest.digest}")
        if manifest.kind not in (*INDEXES, *MANIFESTS):
            raise RegistryError(f"got {manifest.kind or 'no media type'}, expected an index or a manifest")
        return manifest

    def tags(self, repository: str) -> Iterator[str]:
        """Yield the tags of a repository, page by page (Distribution Specification, "Listing Tags")."""
        path = "tags/list"
        while path:
            answer = self._request("GET", repository, path)
            _expect(answer, requests.codes.ok)
            yield from answer.json().get("tags") or ()
            following = answer.links.get("next", {}).get("url")
            path = urljoin(answer.url, following) if following else ""

    def digest_of_tag(self, repository: str, tag: str) -> str | None:
        """Return the digest of a tag, or None where the repository has no such tag."""
        accept = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        answer = self._request("GET", repository, f"manifests/{tag}", push=True, headers=accept)
        if answer.status_code == requests.codes.not_found and "NAME_UNKNOWN" not in answer.text:
            return None
        _expect(answer, requests.codes.ok)
        return digest_of(answer.content)

    def has_blob(self, repository: str, digest: str) -> bool:
        """Return whether a repository has a blob."""
        answer = self._request("HEAD", repository, f"blobs/{digest}", push=True)
        if answer.status_code != requests.codes.not_found:
            _expect(answer, requests.codes.ok)
        return answer.status_code == requests.codes.ok

    def blob(self, repository: str, digest: str) -> Iterator[bytes]:
        """Yield a blob. Raises RegistryError after it where it has another digest."""
        answer = self._request("GET", repository, f"blobs/{digest}", stream=True)
        _expect(answer, requests.codes.ok)
        computed = hashlib.sha256()
        for chunk in answer.iter_content(_CHUNK):
            computed.update(chunk)
            yield chunk
        if f"sha256:{computed.hexdigest()}" != digest:
            raise RegistryError(f"{answer.url}: its content has sha256:{computed.hexdigest()}")

    def push_blob(self, repository: str, digest: str, content: IO[bytes] | bytes) -> None:
        """Upload a blob."""
        started = self._request("POST", repository, "blobs/uploads/", push=True)
        _expect(started, requests.codes.accepted)
        place = urljoin(started.url, started.headers["Location"])
        answer = self._request(
            "PUT",
            repository,
            place,
            push=True,
            headers={"Content-Type": "application/octet-stream"},
            params={"digest": digest},
            data=content,
            timeout=_STORING_SECONDS,
        )
        _expect(answer, requests.codes.created)

    def push_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Upload a manifest, whose blobs are there. reference: a tag or its digest."""
        headers = {"Content-Type": manifest.kind}
        answer = self._request(
            "PUT", repository, f"manifests/{reference}", push=True, headers=headers, data=manifest.content
        )
        _expect(answer, requests.codes.created)

    def _request(
        self, method: str, repository: str, path: str, *, push: bool = False, **options: Any
    ) -> requests.Response:
        scope = f"repository:{repository}:{'pull,push' if push else 'pull'}"
        url = path if "://" in path else f"{self._url}{repository}/{path}"
        headers = dict(options.pop("headers", {}))
        token = {"Authorization": self._tokens[scope]} if scope in self._tokens else {}
        answer = _send(method, url, {**headers, **token}, options)
        # A stream is read already; a request for a token comes before it (`has_blob`, the upload's POST).
        repeatable = isinstance(options.get("data", b""), bytes)
        if answer.status_code == requests.codes.unauthorized and repeatable:
            self._tokens[scope] = self._authorization(answer, scope)
            # registry.k8s.io redirects: the host that requires a token is the one that accepts it.
            authorized = {**headers, "Authorization": self._tokens[scope]}
            answer = _send(method, answer.url, authorized, options)
        return answer

    def _authorization(self, refusal: requests.Response, scope: str) -> str:
        method, _, rest = refusal.headers.get("WWW-Authenticate", "").partition(" ")
        if method.lower() == "basic":
            return f"Basic {base64.b64encode(self.credentials(self.host).encode()).decode()}"
        challenge = parse_dict_header(rest)
        realm = challenge.get("realm")
        if method.lower() != "bearer" or not realm:
            raise RegistryError(f"{refusal.url}: 401 with an unknown challenge, {method or 'none'}")
        query = {"scope": scope, **({"service": challenge["service"]} if challenge.get("service") else {})}
        answer = _send("GET", realm, self._login(scope), {"params": query})
        _expect(answer, requests.codes.ok)
        token = answer.json()
        return f"Bearer {token.get('token') or token.get('access_token')}"

    def _login(self, scope: str) -> Mapping[str, str]:
        """Return the login for a token: none where pulling needs none."""
        try:
            login = self.credentials(self.host)
        except RegistryError:
            if scope.endswith(":pull"):
                return {}
            raise
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def _send(method: str, url: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> requests.Response:
    try:
        timeout = options.get("timeout", SECONDS)
        rest = {name: value for name, value in options.items() if name != "timeout"}
        return requests.request(method, url, headers=dict(headers), timeout=timeout, **rest)
    except requests.RequestException as error:
        raise UnavailableError(f"{url}: {error}") from error


def _expect(answer: requests.Response, code: int | None) -> None:
    if answer.status_code != code:
        reason = answer.text[:200].strip() if answer.request.method != "HEAD" else ""
        later = answer.status_code == _TOO_MANY_REQUESTS or answer.status_code >= _SERVER_ERRORS
        kind = UnavailableError if later else RegistryError
        raise kind(f"{answer.url}: {answer.status_code} {answer.reason} {reason}".rstrip())

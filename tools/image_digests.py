"""Record the digest of every image of components/aiplatform/images.toml that has none; confirm the others.

    python3 bootstrap.py --development --run python -m tools.image_digests           # write what is missing
    python3 bootstrap.py --development --run python -m tools.image_digests --check   # change nothing

Asks each image's registry for its tag, as a container runtime does (OCI Distribution Specification, "Pulling
manifests"; Docker Registry, "Token Authentication Specification"), without an account. ECR's private
registries, EKS's among them, need credentials of any AWS account, which boto3 looks for.

A digest that is recorded is never replaced: where the tag has another one now, that is reported. For a new
version write the tag and remove `digest` and `digest_source`. Exit codes: 0 when every image has the digest
of its tag; 1 when a digest differs, is missing (`--check`) or could not be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import requests
from requests.utils import parse_dict_header

IMAGES: Final = Path(__file__).resolve().parents[1] / "components" / "aiplatform" / "images.toml"
INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
PLATFORM: Final = ("linux", "amd64")
"""What every index must have: the machines of all pools but CPU pools of Arm machines."""
SECONDS: Final = 30
_ECR: Final = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_LOCAL: Final = re.compile(r"(?:localhost|127\.0\.0\.1)(?::\d+)?")


class DigestError(Exception):
    """A digest that could not be read, and why."""


Credentials = Callable[[str], str]
"""A registry's host -> `user:password`, for one that gives no anonymous token. Raises DigestError."""


def ecr_credentials(host: str) -> str:
    """User and password of a private ECR registry, from the AWS credentials of this machine."""
    matched = _ECR.fullmatch(host)
    if matched is None:
        raise DigestError("the registry asks for a user, and only ECR's can be had here")
    import boto3  # takes half a second to import, and most registries do without it
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client: Any = boto3.client("ecr", region_name=matched[1])  # pyright: ignore[reportUnknownMemberType]
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise DigestError(f"no AWS credentials for ECR: {error}") from error
    return base64.b64decode(token).decode()


@dataclass
class Registry:
    """A registry, as a client that pulls sees it."""

    host: str
    credentials: Credentials = ecr_credentials

    def digest(self, repository: str, tag: str) -> str:
        """The digest of a tag's index, or of its manifest where it has no index, computed from the content.
        Raises DigestError."""
        answer = self._manifest(repository, tag)
        computed = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        stated = answer.headers.get("Docker-Content-Digest", computed)
        if stated != computed:
            raise DigestError(f"the registry states {stated}, and its content has {computed}")
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind in INDEXES:
            self._check_platforms(answer.json())
        elif kind not in MANIFESTS:
            raise DigestError(f"got {kind or 'no media type'}, expected an index or a manifest")
        return computed

    def _manifest(self, repository: str, tag: str) -> requests.Response:
        # Docker, containerd and crane speak plain HTTP to this machine alone, too.
        scheme = "http" if _LOCAL.fullmatch(self.host) else "https"
        url = f"{scheme}://{self.host}/v2/{repository}/manifests/{tag}"
        headers = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        answer = _get(url, headers)
        if answer.status_code == requests.codes.unauthorized:
            headers["Authorization"] = self._authorization(answer, repository)
            # registry.k8s.io redirects: the place that asks for a token is the one that takes it.
            answer = _get(answer.url, headers)
        if answer.status_code != requests.codes.ok:
            raise DigestError(f"{answer.url}: {answer.status_code} {answer.reason}")
        return answer

    def _authorization(self, refusal: requests.Response, repository: str) -> str:
        method, _, rest = refusal.headers.get("WWW-Authenticate", "").partition(" ")
        if method.lower() == "basic":
            return f"Basic {base64.b64encode(self.credentials(self.host).encode()).decode()}"
        challenge = parse_dict_header(rest)
        realm = challenge.get("realm")
        if method.lower() != "bearer" or not realm:
            raise DigestError(f"{refusal.url}: 401 without a challenge that is known, {method or 'none'}")
        query = {"scope": challenge.get("scope") or f"repository:{repository}:pull"}
        query |= {"service": service} if (service := challenge.get("service")) else {}
        answer = _get(realm, {}, query)
        if answer.status_code != requests.codes.ok:
            raise DigestError(f"{realm}: {answer.status_code} {answer.reason}, expected a token")
        token = answer.json()
        return f"Bearer {token.get('token') or token.get('access_token')}"

    @staticmethod
    def _check_platforms(index: Mapping[str, Any]) -> None:
        platforms = [entry.get("platform", {}) for entry in index.get("manifests", [])]
        if PLATFORM not in {(platform.get("os"), platform.get("architecture")) for platform in platforms}:
            raise DigestError(f"its index has no image for {'/'.join(PLATFORM)}")


def _get(url: str, headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> requests.Response:
    try:
        return requests.get(url, headers=headers, params=query, timeout=SECONDS)
    except requests.RequestException as error:
        raise DigestError(f"{url}: {error}") from error


def recorded(text: str, name: str, digest: str, source: str) -> str:
    """The text of images.toml with the digest of one image, which has none."""
    table = re.compile(rf"^\[{re.escape(name)}\]\n(?:[^\[\n].*\n)*", re.MULTILINE)
    matched = table.search(text)
    if matched is None:
        raise DigestError(f"images.toml has no table [{name}] of plain lines")
    lines = f'digest = "{digest}"\ndigest_source = "{source}"\n'
    return text[: matched.end()] + lines + text[matched.end() :]


def update(file: Path, *, write: bool, credentials: Credentials = ecr_credentials) -> Iterator[str]:
    """Ask the registries of all images, record missing digests in the file (`write`), and report what is not
    as it should be."""
    text = file.read_text()
    for name, image in tomllib.loads(text).items():
        host, _, repository = image["repository"].partition("/")
        known = image.get("digest")
        try:
            digest = Registry(host, credentials).digest(repository, image["tag"])
        except DigestError as error:
            yield f"{name}: {image['repository']}:{image['tag']}: {error}"
            continue
        if known is None and write:
            source = f"the registry, {datetime.now(UTC):%Y-%m-%d}"
            text = recorded(text, name, digest, source)
            file.write_text(text)
        elif known is None:
            yield f"{name}: no digest is recorded; the tag {image['tag']} has {digest}"
        elif known != digest:
            yield f"{name}: recorded {known}, and the tag {image['tag']} has {digest} now"


def main(arguments: list[str], file: Path = IMAGES) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.image_digests", description="Record the digests of images."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; report what is missing or differs"
    )
    check = parser.parse_args(arguments).check
    problems = list(update(file, write=not check))
    sys.stderr.writelines(f"error: {problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

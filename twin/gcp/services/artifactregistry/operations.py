"""Artifact Registry: repositories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import serve

_REMOTE: Final[Mapping[str, str]] = services.tables("artifactregistry")["remote"]
_POLICY: Final = re.compile(r"[a-z][a-z0-9-]{0,127}")
_SECRET: Final = re.compile(r"(projects/[^/]+/secrets/[^/]+)/versions/[^/]+")


def _agent(call: Call) -> str:
    return f"service-{call.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"


def _prepare(call: Call, repository: Body) -> None:
    key, place = repository.get("kmsKeyName"), repository["name"].split("/")[3]
    # Artifact Registry says its multi-regions as KMS does.
    check_key(call, key, place, _agent(call), "repository")
    repository["sizeBytes"] = "0"


def _check(call: Call, repository: Body) -> None:
    host = f"{repository['name'].split('/')[3]}-{repository['format'].lower()}.pkg.dev"
    repository["registryUri"] = f"{host}/{call.project}/{repository['name'].rpartition('/')[2]}"
    policies: dict[str, Any] = repository.get("cleanupPolicies") or {}
    for name, policy in policies.items():
        _check_policy(name, policy)
    remote = repository.get("remoteRepositoryConfig")
    if remote:
        _check_remote(call, repository, remote)
    _scan(call, repository)


def _scan(call: Call, repository: Body) -> None:
    """Whether images are scanned, and why not."""
    scanning = repository["vulnerabilityScanningConfig"]
    kind = repository["format"] == "DOCKER" and repository["mode"] == "STANDARD_REPOSITORY"
    on = (
        kind
        and scanning["enablementConfig"] != "DISABLED"
        and call.enabled("containerscanning.googleapis.com")
    )
    scanning["enablementState"] = (
        "SCANNING_ACTIVE" if on else "SCANNING_DISABLED" if kind else "SCANNING_UNSUPPORTED"
    )
    scanning.pop("enablementStateReason", None)
    if kind and not on:
        off = scanning["enablementConfig"] == "DISABLED"
        scanning["enablementStateReason"] = (
            "Scanning is disabled on this repository."
            if off
            else "API containerscanning.googleapis.com is not enabled."
        )


def _check_policy(name: str, policy: Body) -> None:
    if not _POLICY.fullmatch(name) or (policy.get("id") or name) != name:
        raise invalid(
            f"Invalid cleanup policy id '{name}': lower-case letters, digits and hyphens, a letter first."
        )


def _check_remote(call: Call, repository: Body, remote: Body) -> None:
    wanted = _REMOTE.get(repository["format"])
    kinds = [kind for kind in (*_REMOTE.values(), "commonRepository") if kind in remote]
    if wanted is None or len(kinds) != 1 or kinds[0] not in (wanted, "commonRepository"):
        raise invalid(
            f"remote_repository_config of format {repository['format']} needs {wanted or 'another format'}, "
            f"got {', '.join(kinds) or 'none'}."
        )
    source = remote[kinds[0]]
    uri = source.get("uri") or (source.get("customRepository") or {}).get("uri")
    if uri is not None and not re.fullmatch(r"https://[^\s/]+(/\S*)?|projects/\S+", uri):
        raise invalid(f"Invalid upstream '{uri}': https://HOST is right.")
    login = (remote.get("upstreamCredentials") or {}).get("usernamePasswordCredentials")
    if login:
        _check_login(call, login)


def _check_login(call: Call, login: Body) -> None:
    version = str(login.get("passwordSecretVersion", ""))
    match = _SECRET.fullmatch(version)
    if not match or not login.get("username"):
        raise invalid(
            "upstream_credentials need a username and a password_secret_version "
            f"(projects/P/secrets/S/versions/V), got '{version}'."
        )
    row = f"secretmanager/{match[1]}"
    if call.state.get(row) is None:
        raise not_found(f"Secret [{match[1]}] not found.")
    member = f"serviceAccount:{_agent(call)}"
    if not call.server.identity.allowed(member, "secretmanager.versions.access", row):
        raise invalid(f"The service agent {_agent(call)} cannot access the secret {match[1]}: grant it "
                      "roles/secretmanager.secretAccessor.")  # fmt: skip


serve("artifactregistry.projects.locations.repositories", prepare=_prepare, check=_check)

"""`gke-gcloud-auth-plugin` of the twin: hands kubectl and its like the caller's access token.

It speaks as the real one: an ExecCredential of client.authentication.k8s.io/v1beta1 on stdout. The token is
the caller's own, from where Google's clients look for one; a machine's account or a login of the user's is
never asked for. Nothing but the standard library is imported: each kubectl call starts it.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

VERSION: Final = "client.authentication.k8s.io/v1beta1"
LIFETIME_SECONDS: Final = 3599
"""What Google says of a new access token."""
_KNOWN: Final = frozenset(
    {"--use_application_default_credentials", "--impersonate_service_account", "--project", "--location"}
    | {"--cluster", "--cache_file", "--gcloud_path", "--version", "--help", "--v"}
)


class NoTokenError(Exception):
    """There is no token to hand out; the message says what was looked for."""


def credential(token: str, now: datetime) -> dict[str, object]:
    """The ExecCredential that hands out a token."""
    expires = now.astimezone(UTC) + timedelta(seconds=LIFETIME_SECONDS)
    return {
        "kind": "ExecCredential",
        "apiVersion": VERSION,
        "spec": {"interactive": False},
        "status": {"expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": token},
    }


def token() -> str:
    """The caller's access token. Raises NoTokenError."""
    for name in ("GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"):
        if os.environ.get(name):
            return os.environ[name]
    file = os.environ.get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
    if file:
        return _read(file).strip()
    file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if file:
        try:
            return str(json.loads(_read(file))["access_token"])
        except (ValueError, KeyError, TypeError):
            raise NoTokenError(f"{file} (GOOGLE_APPLICATION_CREDENTIALS) holds no access_token") from None
    raise NoTokenError(
        "cannot find credentials: GOOGLE_OAUTH_ACCESS_TOKEN, CLOUDSDK_AUTH_ACCESS_TOKEN(_FILE) and "
        "GOOGLE_APPLICATION_CREDENTIALS are not set; run the command by `aiplatform twin run -- ...`"
    )


def _read(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError as error:
        raise NoTokenError(f"{file}: {error.strerror}") from error


def _wrong_version() -> str:
    """What is wrong with the version that the caller asks for, in KUBERNETES_EXEC_INFO."""
    try:
        requested = json.loads(os.environ.get("KUBERNETES_EXEC_INFO") or "{}").get("apiVersion", VERSION)
    except (ValueError, AttributeError):
        return "KUBERNETES_EXEC_INFO is no JSON object"
    return (
        ""
        if requested == VERSION
        else f"the kubeconfig asks for {requested}, and this plugin speaks {VERSION}"
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    flags = sys.argv[1:] if arguments is None else arguments
    unknown = [flag for flag in flags if flag.startswith("-") and flag.partition("=")[0] not in _KNOWN]
    if unknown:
        print(f"unknown flag: {unknown[0]}", file=sys.stderr)  # noqa: T201
        return 1
    if "--version" in flags:
        print("Kubernetes v1.33.0-twin")  # noqa: T201
        return 0
    access_token, wrong = "", _wrong_version()
    try:
        access_token = access_token if wrong else token()
    except NoTokenError as error:
        wrong = str(error)
    if wrong:
        print(f"gke-gcloud-auth-plugin: {wrong}", file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(credential(access_token, datetime.now(UTC)), indent=4))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())

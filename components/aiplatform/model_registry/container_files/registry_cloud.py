"""What the server and its steps ask of the cloud: tokens that sign in to the database, and secrets.

Nothing here is kept: a token is good for minutes, and whoever asks is the Pod's own workload identity.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import base64
import json
import os
import threading

CLOUD = os.environ.get("REGISTRY_CLOUD", "")
_LOGIN = "https://www.googleapis.com/auth/sqlservice.login"
_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
_SECRETS = "https://secretmanager.googleapis.com/v1"
_lock = threading.Lock()
_known: dict = {}


def token(host: str, port: int, user: str) -> str:
    """What signs in to the database as `user`, in place of a password.

    AWS: good for 15 minutes (RDS user guide, "IAM database authentication"). Google Cloud: an access token of
    an hour ("Cloud SQL IAM database authentication").
    """
    if CLOUD == "gcp":
        return _google(_LOGIN).token
    return _aws("rds").generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)


def read_secret(name: str) -> dict | None:
    """What a secret holds, a JSON object; None where nothing was put in it yet."""
    if CLOUD == "gcp":
        answer = _session().get(f"{_SECRETS}/{name}/versions/latest:access", timeout=30)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return json.loads(base64.b64decode(answer.json()["payload"]["data"]))
    client = _aws("secretsmanager")
    try:
        return json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        return None


def write_secret(name: str, value: dict) -> None:
    """Put a new version into a secret."""
    text = json.dumps(value)
    if CLOUD == "gcp":
        data = base64.b64encode(text.encode()).decode()
        body = {"payload": {"data": data}}
        _session().post(f"{_SECRETS}/{name}:addVersion", json=body, timeout=30).raise_for_status()
        return
    _aws("secretsmanager").put_secret_value(SecretId=name, SecretString=text)


def _aws(service: str):
    import boto3

    with _lock:
        if service not in _known:
            _known[service] = boto3.client(service)  # pyright: ignore
        return _known[service]


def _google(scope: str):
    import google.auth
    from google.auth.transport.requests import Request

    with _lock:
        if scope not in _known:
            _known[scope], _ = google.auth.default(scopes=[scope])
        if not _known[scope].valid:
            _known[scope].refresh(Request())
        return _known[scope]


def _session():
    from google.auth.transport.requests import AuthorizedSession

    return AuthorizedSession(_google(_PLATFORM))

"""What the environment of the program states: the ConfigMap `model-release` of the namespace `release`."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from model_release.errors import RefusedError

PROD: Final = "prod"
_PROFILES: Final = ("dev", "staging", PROD)
_SECRETS: Final = "https://secretmanager.googleapis.com/v1"
_PLATFORM: Final = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Settings:
    """releases: `s3://BUCKET` or `gs://BUCKET`. profile: of the environment. guarded_aliases: those that only
    the account of this program sets. approved_by: the user who runs the command, as the cluster authenticated
    it; None where none is stated."""

    releases: str
    profile: str = PROD
    guarded_aliases: frozenset[str] = frozenset({"champion"})
    approved_by: str | None = None

    @property
    def is_prod(self) -> bool:
        """Whether promotions need a card and an approval."""
        return self.profile == PROD


def of_environment(variables: Mapping[str, str]) -> Settings:
    """Return the settings of variables. Raises RefusedError for a missing or wrong one."""
    # Without a profile the strictest one applies.
    profile = variables.get("PROFILE") or PROD
    if profile not in _PROFILES:
        raise RefusedError(f"PROFILE: got {profile!r}; expected one of {', '.join(_PROFILES)}")
    aliases = frozenset(filter(None, variables.get("GUARDED_ALIASES", "champion").split(",")))
    return Settings(
        variables.get("RELEASES_URI", ""), profile, aliases, variables.get("APPROVED_BY", "").strip() or None
    )


def sign_in(variables: Mapping[str, str]) -> None:
    """Read the account of the model registry from the cloud's secret manager, by the identity of this Pod,
    and set the variables that MLflow's client reads. Without MLFLOW_ACCOUNT_SECRET they stay as they are."""
    secret = variables.get("MLFLOW_ACCOUNT_SECRET")
    if not secret:
        return
    account = json.loads(_read(secret))
    os.environ["MLFLOW_TRACKING_USERNAME"] = account["username"]
    os.environ["MLFLOW_TRACKING_PASSWORD"] = account["password"]


def hub_token(variables: Mapping[str, str]) -> str | None:
    """Return the token of Hugging Face from the cloud's secret manager: the value of HUGGING_FACE_SECRET, or
    its key `token`. None without the variable."""
    secret = variables.get("HUGGING_FACE_SECRET")
    if not secret:
        return None
    text = _read(secret)
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    return str(value["token"] if isinstance(value, dict) else value).strip()


def _read(secret: str) -> str:
    return _on_google(secret).decode() if secret.startswith("projects/") else _on_aws(secret)


def _on_aws(secret: str) -> str:
    import boto3

    return boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]


def _on_google(secret: str) -> bytes:
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials: Any = google.auth.default(scopes=[_PLATFORM])[0]
    answer = AuthorizedSession(credentials).get(f"{_SECRETS}/{secret}/versions/latest:access", timeout=30)
    answer.raise_for_status()
    return base64.b64decode(answer.json()["payload"]["data"])

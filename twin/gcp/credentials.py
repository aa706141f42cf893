"""The access token of an instance's deployer: `credentials.json` in the instance's folder, made once."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Final

from twin import state_files
from twin.instances import Instance
from twin.private_files import create_private

ACCOUNT: Final = "platform-deployer"


@dataclass(frozen=True)
class Credentials:
    """An OAuth 2.0 access token, as `gcloud auth print-access-token` prints one."""

    access_token: str
    type: str = "access_token"


def deployer(instance: Instance) -> Credentials:
    """The deployer's token: who has it is the service account platform-deployer. Made on first use (0600)."""
    file = instance.folder / "credentials.json"
    try:
        credentials = state_files.read(file, _parse)
    except FileNotFoundError:
        credentials = Credentials("ya29." + secrets.token_urlsafe(96))
        if not create_private(file, json.dumps(asdict(credentials)) + "\n"):
            return deployer(instance)  # another process was first
    state_files.record(file)
    return credentials


def deployer_email(project: str) -> str:
    """The deployer's service account."""
    return f"{ACCOUNT}@{project}.iam.gserviceaccount.com"


def _parse(text: str) -> Credentials:
    token = json.loads(text)["access_token"]
    if not isinstance(token, str) or not token:
        raise ValueError("access_token is no text")
    return Credentials(token)

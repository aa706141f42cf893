"""The access token of an instance's deployer: `credentials.json` in the instance's folder, made once."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import Final

from twin.instances import Instance

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
        document = json.loads(file.read_text())
        return Credentials(document["access_token"])
    except FileNotFoundError:
        instance.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        credentials = Credentials("ya29." + secrets.token_urlsafe(96))
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was first
            return deployer(instance)
        with os.fdopen(handle, "w") as out:
            out.write(json.dumps(asdict(credentials)) + "\n")
        return credentials


def deployer_email(project: str) -> str:
    """The deployer's service account."""
    return f"{ACCOUNT}@{project}.iam.gserviceaccount.com"

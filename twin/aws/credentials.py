"""The access key of an instance's deployer: `credentials.json` in the instance's folder, made once."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from typing import Final

from twin.instances import Instance

ROLE: Final = "platform-deployer"
SESSION: Final = "twin"


@dataclass(frozen=True)
class Credentials:
    """An access key and its secret."""

    access_key_id: str
    secret_access_key: str


def deployer(instance: Instance) -> Credentials:
    """The deployer's key: who has it is the role platform-deployer. It is made on first use (mode 0600)."""
    file = instance.folder / "credentials.json"
    try:
        return Credentials(**json.loads(file.read_text()))
    except FileNotFoundError:
        instance.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        credentials = Credentials(
            # ASIA is the prefix of temporary keys, which an assumed role has; 20 characters as AWS's.
            "ASIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16)),
            secrets.token_urlsafe(30),
        )
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was first
            return deployer(instance)
        with os.fdopen(handle, "w") as out:
            out.write(json.dumps(asdict(credentials)) + "\n")
        return credentials


def deployer_arn(account: str) -> str:
    """Who the deployer is to STS."""
    return f"arn:aws:sts::{account}:assumed-role/{ROLE}/{SESSION}"

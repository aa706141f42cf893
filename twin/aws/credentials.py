"""The access key of an instance's deployer: `credentials.json` in the instance's folder, made once."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import asdict, dataclass
from typing import Final

from twin import state_files
from twin.instances import Instance
from twin.private_files import create_private

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
        credentials = state_files.read(file, _parse)
    except FileNotFoundError:
        credentials = Credentials(
            # ASIA is the prefix of temporary keys, which an assumed role has; 20 characters as AWS's.
            "ASIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16)),
            secrets.token_urlsafe(30),
        )
        if not create_private(file, json.dumps(asdict(credentials)) + "\n"):
            return deployer(instance)  # another process was first
    state_files.record(file)
    return credentials


def deployer_arn(account: str) -> str:
    """Who the deployer is to STS."""
    return f"arn:aws:sts::{account}:assumed-role/{ROLE}/{SESSION}"


def _parse(text: str) -> Credentials:
    document = json.loads(text)
    return Credentials(_text(document, "access_key_id"), _text(document, "secret_access_key"))


def _text(document: dict[str, object], key: str) -> str:
    value = document[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is no text")
    return value

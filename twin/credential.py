"""The credential of the twin's admin API (`/_twin/` of the cloud's API server), a file with mode 0600.

The API server makes a new one at each start, so that one that leaked ends with the process that it was made
for. Clients read the file at each request: the credential is in no command line, environment, log or output.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from typing import Final

from twin.instances import Instance
from twin.private_files import write_private

SCHEME: Final = "Bearer"
_BYTES: Final = 32


def file(instance: Instance) -> Path:
    """Where the credential is stored (mode 0600, in the twin's folder of mode 0700)."""
    return instance.folder / "run" / f"{instance.cloud}-interface.credential"


def renew(instance: Instance) -> None:
    """Make a new credential; the one before is refused from now on."""
    write_private(file(instance), secrets.token_urlsafe(_BYTES) + "\n")


def headers(instance: Instance) -> dict[str, str]:
    """The headers of a request to the interface; none where the API server has not made a credential yet."""
    current = _read(instance)
    return {"Authorization": f"{SCHEME} {current}"} if current else {}


def accepts(instance: Instance, authorization: str) -> bool:
    """Whether an Authorization header holds the present credential; compared in constant time."""
    current = _read(instance)
    scheme, _, presented = authorization.partition(" ")
    if not current or scheme.lower() != SCHEME.lower():
        return False
    return hmac.compare_digest(presented.strip().encode(), current.encode())


def _read(instance: Instance) -> str:
    try:
        return file(instance).read_text().strip()
    except OSError:
        return ""

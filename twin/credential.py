"""The credential of the twin's own interface (`/_twin/` of the cloud's front): a file of its owner's alone.

The front makes a new one at each start, so that one that leaked ends with the process that it was made for.
Clients read the file at each request: the credential is in no command line, environment, log or output.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from typing import Final

from twin.kubernetes.certificates import write_private
from twin.world import World

SCHEME: Final = "Bearer"
_BYTES: Final = 32


def file(world: World) -> Path:
    """Where the credential is stored (mode 0600, in the twin's folder of mode 0700)."""
    return world.folder / "run" / f"{world.cloud}-interface.credential"


def renew(world: World) -> None:
    """Make a new credential; the one before is refused from now on."""
    write_private(file(world), secrets.token_urlsafe(_BYTES) + "\n")


def headers(world: World) -> dict[str, str]:
    """The headers of a request to the interface; none where the front has not made a credential yet."""
    current = _read(world)
    return {"Authorization": f"{SCHEME} {current}"} if current else {}


def accepts(world: World, authorization: str) -> bool:
    """Whether an Authorization header holds the present credential; compared in constant time."""
    current = _read(world)
    scheme, _, presented = authorization.partition(" ")
    if not current or scheme.lower() != SCHEME.lower():
        return False
    return hmac.compare_digest(presented.strip().encode(), current.encode())


def _read(world: World) -> str:
    try:
        return file(world).read_text().strip()
    except OSError:
        return ""

"""Requests to price APIs."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from cli.output import CommandError

_SECONDS: Final = 60


@contextmanager
def opened(url: str, headers: dict[str, str] | None = None) -> Iterator[IO[bytes]]:
    """Open a URL for reading. Raises CommandError where it cannot be read to its end."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise CommandError(f"{url}: expected an address with https")
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - checked above
            yield response
    except urllib.error.HTTPError as error:
        raise CommandError(f"{url}: {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"{url}: {getattr(error, 'reason', error)}") from None

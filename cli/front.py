"""Asks the cloud's front of a twin what the cloud's own API has no word for (`/_twin/...`)."""

from __future__ import annotations

import http.client
import json
from typing import Any

from twin import credential
from twin.world import World


class RefusedError(Exception):
    """The front said no, and why."""


def ask(world: World, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of `/_twin/<path>`. Raises RefusedError, or OSError where nobody answers."""
    # Not urllib, which would ask the user's proxy.
    connection = http.client.HTTPConnection("127.0.0.1", world.ports["cloud"], timeout=60)
    try:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **credential.headers(world)}
        connection.request(method, f"/_twin/{path}", body=data, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise OSError(f"the front broke off: {error!r}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise RefusedError(_message(text))
    return json.loads(text)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text

"""Client of the admin API (`/_twin/...`) of a twin's cloud, for what the cloud's own API does not offer."""

from __future__ import annotations

import http.client
import json
from typing import Any

from twin import credential
from twin.instances import Instance


class RefusedError(Exception):
    """The admin API refused a request; the message states why."""


def request(instance: Instance, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the response of `/_twin/<path>`. Raises RefusedError, and OSError where nothing answers."""
    # Not urllib, which would use the user's proxy.
    connection = http.client.HTTPConnection("127.0.0.1", instance.ports["cloud"], timeout=60)
    try:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **credential.headers(instance)}
        connection.request(method, f"/_twin/{path}", body=data, headers=headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise OSError(f"the connection was closed: {error!r}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise RefusedError(_message(text))
    return json.loads(text)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text

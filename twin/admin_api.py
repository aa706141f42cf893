"""`/_twin/...` of any cloud's API server: what its API has no word for. JSON in and out.

It listens on loopback, which every user of the machine reaches: a request needs the credential in the twin's
folder (twin.credential).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from twin import credential
from twin.web import Answer

LOG = logging.getLogger(__name__)
Body = dict[str, Any]
Route = Callable[[Any, Body], Body]
UNAUTHORIZED = "the twin's own interface needs the credential in the twin's folder"


def handle(
    server: Any,
    environ: dict[str, Any],
    *,
    routes: Mapping[tuple[str, str], Route],
    view: Callable[[str, Body], Body],
    refused: Callable[[Exception], tuple[int, Body] | None],
) -> Answer:
    """Answer a private request.

    routes: by method and path, besides those of fault injection, which all API servers have. view:
    `view/NAME`, what the controller reads and reports. refused: the status and body of what the cloud
    itself raises; None for another exception.
    """
    if not credential.accepts(server.instance, environ.get("HTTP_AUTHORIZATION", "")):
        return _json(401, {"code": "Unauthorized", "message": UNAUTHORIZED})
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw = environ["wsgi.input"].read(length) if length else b""
    path = environ["PATH_INFO"].removeprefix("/_twin/").strip("/")
    method = environ["REQUEST_METHOD"]
    try:
        body = json.loads(raw) if raw else {}
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        route = {**_FAULTS, **routes}.get((method, path))
        if route:
            return _json(200, route(server, {**query, **body}))
        if path.startswith("view/") and method == "POST":
            return _json(200, view(path.removeprefix("view/"), body))
    except (ValueError, KeyError, TypeError) as error:
        return _json(400, {"code": "BadRequest", "message": f"{method} /_twin/{path}: {error!r}"})
    except Exception as error:
        known = refused(error)
        if known:
            return _json(*known)
        LOG.exception("%s /_twin/%s failed in the twin", method, path)
        return _json(
            500,
            {"code": "TwinDefect", "message": f"{method} /_twin/{path}: see the log of the cloud's process"},
        )
    return _json(404, {"code": "NotFound", "message": f"no {method} /_twin/{path}"})


def _injected(server: Any, _: Body) -> Body:
    return {"faults": server.faults.every()}


def _add_fault(server: Any, body: Body) -> Body:
    server.faults.add(body)
    return _injected(server, {})


def _clear_faults(server: Any, body: Body) -> Body:
    server.faults.clear(body.get("kind", ""))
    return _injected(server, {})


_FAULTS: dict[tuple[str, str], Route] = {
    ("GET", "faults"): _injected,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
}


def _json(status: int, body: Body) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(body, default=str).encode())

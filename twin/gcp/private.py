"""`/_twin/...`: what Google's APIs have no word for. Loopback only, JSON in and out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from twin.gcp import inventory
from twin.gcp.errors import GoogleError
from twin.web import Answer

if TYPE_CHECKING:
    from twin.gcp.front import Front

LOG = logging.getLogger(__name__)


def handle(front: Front, environ: dict[str, Any]) -> Answer:
    """Answer a private request."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw = environ["wsgi.input"].read(length) if length else b""
    path = environ["PATH_INFO"].removeprefix("/_twin/").strip("/")
    method = environ["REQUEST_METHOD"]
    try:
        body = json.loads(raw) if raw else {}
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        route = _ROUTES.get((method, path))
        if route:
            return _json(200, route(front, {**query, **body}))
        if path.startswith("view/") and method == "POST":
            return _json(200, _view(front, path.removeprefix("view/"), body))
    except GoogleError as error:
        return _json(error.code, {"code": error.reason, "status": error.status, "message": error.message})
    except (ValueError, KeyError, TypeError) as error:
        LOG.exception("%s /_twin/%s", method, path)
        return _json(400, {"code": "BadRequest", "message": f"{method} /_twin/{path}: {error!r}"})
    except Exception:
        LOG.exception("%s /_twin/%s failed in the twin", method, path)
        return _json(
            500, {"code": "TwinDefect", "message": f"{method} /_twin/{path}: the front's log tells why"}
        )
    return _json(404, {"code": "NotFound", "message": f"no {method} /_twin/{path}"})


def _view(front: Front, name: str, body: dict[str, Any]) -> dict[str, Any]:
    from twin.gcp.gke import sight

    view = sight.VIEWS.get(name)
    if view is None:
        raise GoogleError(404, "NOT_FOUND", f"no view {name!r}; there are {', '.join(sorted(sight.VIEWS))}")
    with front.state.transaction():
        return view(front, body)


def _health(front: Front, _: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "ok",
        "world": front.world.name,
        "project": front.world.account,
        "project_number": front.project_number,
    }


def _inventory(front: Front, _: dict[str, Any]) -> dict[str, Any]:
    return inventory.of(front)


def _faults(front: Front, _: dict[str, Any]) -> dict[str, Any]:
    return {"faults": front.faults.every()}


def _add_fault(front: Front, body: dict[str, Any]) -> dict[str, Any]:
    front.faults.add(body)
    return _faults(front, {})


def _clear_faults(front: Front, body: dict[str, Any]) -> dict[str, Any]:
    front.faults.clear(body.get("kind", ""))
    return _faults(front, {})


_ROUTES: dict[tuple[str, str], Callable[[Front, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "health"): _health,
    ("GET", "inventory"): _inventory,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
}


def _json(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(body, default=str).encode())

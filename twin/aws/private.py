"""`/_twin/...`: what the AWS API has no word for. Loopback only, JSON in and out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from importlib import metadata
from typing import Any
from urllib.parse import parse_qs

from twin.aws import inventory
from twin.aws.call import Answer, Refusal

LOG = logging.getLogger(__name__)


def handle(front: Any, environ: dict[str, Any]) -> Answer:
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
            return _json(200, front.eks.view(path.removeprefix("view/"), body))
    except Refusal as error:
        return _json(error.status, {"code": error.code, "message": error.message})
    except (ValueError, KeyError, TypeError) as error:
        return _json(400, {"code": "BadRequest", "message": f"{method} /_twin/{path}: {error!r}"})
    except Exception:
        LOG.exception("%s /_twin/%s failed in the twin", method, path)
        return _json(
            500, {"code": "TwinDefect", "message": f"{method} /_twin/{path}: the front's log tells why"}
        )
    return _json(404, {"code": "NotFound", "message": f"no {method} /_twin/{path}"})


def _health(front: Any, _: dict[str, Any]) -> dict[str, Any]:
    found = front.replayed
    return {
        "status": "ok",
        "world": front.world.name,
        "moto": metadata.version("moto"),
        "replayed": found.calls,
        "finished": found.finished,
        "seconds": round(found.seconds, 3),
        "differing": found.differing,
        "renamed": found.renamed,
        "calls": len(front.journal),
    }


def _inventory(front: Any, _: dict[str, Any]) -> dict[str, Any]:
    return inventory.of(front)


def _faults(front: Any, _: dict[str, Any]) -> dict[str, Any]:
    return {"faults": front.faults.every()}


def _add_fault(front: Any, body: dict[str, Any]) -> dict[str, Any]:
    front.faults.add(body)
    return _faults(front, {})


def _clear_faults(front: Any, body: dict[str, Any]) -> dict[str, Any]:
    front.faults.clear(body.get("kind", ""))
    return _faults(front, {})


_ROUTES: dict[tuple[str, str], Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "health"): _health,
    ("GET", "inventory"): _inventory,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
}


def _json(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(body, default=str).encode())

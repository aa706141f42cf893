"""`/_twin/...` of the AWS front: health, inventory, injected errors, the controller's view."""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final

from twin import admin_api
from twin.aws.api_server import inventory
from twin.aws.api_server.request import Answer, Refusal


def handle(front: Any, environ: dict[str, Any]) -> Answer:
    """Answer a private request."""
    return admin_api.handle(front, environ, routes=_ROUTES, view=front.eks.view, refused=_refused)


def _refused(error: Exception) -> tuple[int, dict[str, Any]] | None:
    if isinstance(error, Refusal):
        return error.status, {"code": error.code, "message": error.message}
    return None


def _health(front: Any, _: dict[str, Any]) -> dict[str, Any]:
    replay = front.replayed
    return {
        "status": "ok",
        "instance": front.instance.name,
        "moto": metadata.version("moto"),
        "replayed": replay.calls,
        "finished": replay.finished,
        "seconds": round(replay.seconds, 3),
        "differing": replay.differing,
        "calls": len(front.journal),
    }


def _inventory(front: Any, _: dict[str, Any]) -> dict[str, Any]:
    return inventory.of(front)


def _interrupt(front: Any, body: dict[str, Any]) -> dict[str, Any]:
    front.notices.interrupt(str(body["instance"]))
    return {}


_ROUTES: Final = {
    ("GET", "health"): _health,
    ("GET", "inventory"): _inventory,
    ("POST", "interrupt"): _interrupt,
}

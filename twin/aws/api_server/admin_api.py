"""`/_twin/...` of the AWS API server: health, inventory, injected errors, the controller's view."""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final

from twin import admin_api
from twin.aws.api_server import inventory
from twin.aws.api_server.request import Answer, Refusal


def handle(server: Any, environ: dict[str, Any]) -> Answer:
    """Answer a private request."""
    return admin_api.handle(server, environ, routes=_ROUTES, view=server.eks.view, refused=_refused)


def _refused(error: Exception) -> tuple[int, dict[str, Any]] | None:
    if isinstance(error, Refusal):
        return error.status, {"code": error.code, "message": error.message}
    return None


def _health(server: Any, _: dict[str, Any]) -> dict[str, Any]:
    replay = server.replayed
    return {
        "status": "ok",
        "instance": server.instance.name,
        "moto": metadata.version("moto"),
        "replayed": replay.calls,
        "finished": replay.finished,
        "seconds": round(replay.seconds, 3),
        "differing": replay.differing,
        "calls": len(server.journal),
    }


def _inventory(server: Any, _: dict[str, Any]) -> dict[str, Any]:
    return inventory.of(server)


def _interrupt(server: Any, body: dict[str, Any]) -> dict[str, Any]:
    server.notices.interrupt(str(body["instance"]))
    return {}


_ROUTES: Final = {
    ("GET", "health"): _health,
    ("GET", "inventory"): _inventory,
    ("POST", "interrupt"): _interrupt,
}

"""`/_twin/...` of the Google API server: health, inventory, injected errors, the controller's view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twin import admin_api
from twin.gcp.api_server import inventory
from twin.gcp.api_server.errors import GoogleError, not_found
from twin.web import Answer

if TYPE_CHECKING:
    from twin.gcp.api_server.server import ApiServer


def handle(server: ApiServer, environ: dict[str, Any]) -> Answer:
    """Answer a private request."""

    def view(name: str, body: dict[str, Any]) -> dict[str, Any]:
        from twin.gcp.services.container.operations import controller_api

        handler = controller_api.VIEWS.get(name)
        if handler is None:
            raise not_found(f"no view {name!r}; there are {', '.join(sorted(controller_api.VIEWS))}")
        with server.state.transaction():
            return handler(server, body)

    return admin_api.handle(server, environ, routes=_ROUTES, view=view, refused=_refused)


def _refused(error: Exception) -> tuple[int, dict[str, Any]] | None:
    if isinstance(error, GoogleError):
        return error.code, {"code": error.reason, "status": error.status, "message": error.message}
    return None


def _health(server: ApiServer, _: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "ok",
        "instance": server.instance.name,
        "project": server.instance.account,
        "project_number": server.project_number,
    }


def _inventory(server: ApiServer, _: dict[str, Any]) -> dict[str, Any]:
    return inventory.of(server)


_ROUTES: Final = {("GET", "health"): _health, ("GET", "inventory"): _inventory}

"""`/_twin/...` of the Google front: health, inventory, faults, the controller's view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twin import private
from twin.gcp import inventory
from twin.gcp.errors import GoogleError
from twin.web import Answer

if TYPE_CHECKING:
    from twin.gcp.front import Front


def handle(front: Front, environ: dict[str, Any]) -> Answer:
    """Answer a private request."""

    def view(name: str, body: dict[str, Any]) -> dict[str, Any]:
        from twin.gcp.gke import sight

        found = sight.VIEWS.get(name)
        if found is None:
            raise GoogleError(
                404, "NOT_FOUND", f"no view {name!r}; there are {', '.join(sorted(sight.VIEWS))}"
            )
        with front.state.transaction():
            return found(front, body)

    return private.handle(front, environ, routes=_ROUTES, view=view, refused=_refused)


def _refused(error: Exception) -> tuple[int, dict[str, Any]] | None:
    if isinstance(error, GoogleError):
        return error.code, {"code": error.reason, "status": error.status, "message": error.message}
    return None


def _health(front: Front, _: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "ok",
        "world": front.world.name,
        "project": front.world.account,
        "project_number": front.project_number,
    }


def _inventory(front: Front, _: dict[str, Any]) -> dict[str, Any]:
    return inventory.of(front)


_ROUTES: Final = {("GET", "health"): _health, ("GET", "inventory"): _inventory}

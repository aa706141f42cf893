"""BigLake metastore's catalogs for Hive: catalogs, databases, tables."""

from __future__ import annotations

from typing import Final

from twin.gcp.api_server.errors import invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.standard_methods import Standard, serve

_CATALOGS: Final = "biglake.projects.locations.catalogs"
_PLACES: Final = frozenset({"us", "eu"})
_ID: Final = r"[A-Za-z0-9_-]{1,256}"
_RIGHT: Final = "letters, digits, _ and -, at most 256"
_MUTABLE: Final = frozenset({"type", "hiveOptions"})


def _vacate(call: Call, body: Body) -> None:
    if call.state.below(f"biglake/{body['name']}"):
        raise precondition(f"{body['name']} is not empty.")


def _hive(_: Call, body: Body) -> None:
    if body.get("type") != "HIVE":
        raise invalid("type must be HIVE.")


serve(
    Standard(
        methods=_CATALOGS,
        title="Catalog",
        id="catalogId",
        pattern=_ID,
        right=_RIGHT,
        vacate=_vacate,
        places=_PLACES,
        words=("create", "delete"),
    )
)
serve(
    Standard(
        methods=f"{_CATALOGS}.databases",
        title="Database",
        id="databaseId",
        pattern=_ID,
        right=_RIGHT,
        mutable=_MUTABLE,
        check=_hive,
        vacate=_vacate,
        places=_PLACES,
        mask_needed=False,
    )
)
serve(
    Standard(
        methods=f"{_CATALOGS}.databases.tables",
        title="Table",
        id="tableId",
        pattern=_ID,
        right=_RIGHT,
        mutable=_MUTABLE,
        check=_hive,
        places=_PLACES,
        mask_needed=False,
        tag=True,
    )
)

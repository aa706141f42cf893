"""What accounts get of a table by PyIceberg, with credentials that the catalog hands out: JSON on stdin, JSON
on stdout.

Told: the lakehouse's outputs, where Google is, the table, rows that a pipeline appends first, and each
account's access token. Answers the e-mail addresses that each reads, or how it is refused.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog


def catalog(asked: dict[str, Any], token: str) -> Catalog:
    """The catalog by its REST endpoint."""
    lake, google = asked["lake"], asked["google"]
    return load_catalog(
        "lake",
        **{
            "type": "rest",
            "uri": lake["catalog_uri"].replace("https:/", google),
            "warehouse": lake["warehouse"],
            "token": token,
            "header.x-goog-user-project": lake["project"],
            "header.X-Iceberg-Access-Delegation": "vended-credentials",
            "gcs.service.host": google,
        },
    )


def emails(asked: dict[str, Any], token: str) -> dict[str, Any]:
    """What one account reads."""
    try:
        table = catalog(asked, token).load_table(asked["table"])
        return {"emails": sorted(table.scan().to_arrow()["email"].to_pylist())}
    except Exception as error:  # noqa: BLE001 - whatever refuses it is told
        return {"refused": f"{type(error).__name__}: {error}"}


asked = json.load(sys.stdin)
if asked.get("rows"):
    table = catalog(asked, asked["pipeline"]).load_table(asked["table"])
    table.append(pa.Table.from_pylist(asked["rows"], schema=table.schema().as_arrow()))
json.dump({who: emails(asked, token) for who, token in asked["who"].items()}, sys.stdout, default=str)

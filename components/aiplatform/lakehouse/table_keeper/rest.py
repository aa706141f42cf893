"""Iceberg's REST protocol at AWS Glue's endpoint (Glue developer guide, "AWS Glue REST APIs for Apache
Iceberg specifications"), signed as every request to AWS is."""

import json
from typing import Any
from urllib.parse import quote

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session


class CatalogError(Exception):
    """What the catalog answered that it should not have."""


class MissingError(CatalogError):
    """There is no such table, or no such database."""


class LaterError(CatalogError):
    """An answer that may be another one soon: somebody else has committed in between (409), rights that were
    just given are not known everywhere yet (403), too many calls (429), or a problem of the service."""


class Catalog:
    """One catalog. warehouse: its id, `111122223333`."""

    def __init__(self, warehouse: str) -> None:
        # Typed in part alone: its clients are made when it runs.
        self._session: Any = boto3.Session()
        self._http = URLLib3Session(timeout=60)
        self._base = str(self._session.client("glue").meta.endpoint_url).rstrip("/") + "/iceberg/v1"
        config = self._ask("GET", f"/config?warehouse={quote(warehouse, safe='')}")
        self._prefix = config.get("overrides", {}).get("prefix") or config.get("defaults", {}).get("prefix")

    def load(self, database: str, table: str) -> dict[str, Any]:
        """A table's metadata."""
        return dict(self._ask("GET", self._path(database, table))["metadata"])

    def commit(self, database: str, table: str, body: dict[str, Any]) -> None:
        """Change a table. Raises LaterError where a requirement does not hold."""
        name = {"namespace": [database], "name": table}
        self._ask("POST", self._path(database, table), {"identifier": name, **body})

    def _path(self, database: str, table: str) -> str:
        prefix = f"/{self._prefix}" if self._prefix else ""
        return f"{prefix}/namespaces/{quote(database, safe='')}/tables/{quote(table, safe='')}"

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise CatalogError("there are no credentials")
        data = None if body is None else json.dumps(body)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = AWSRequest(method, self._base + path, headers=headers, data=data)
        region = str(self._session.region_name)
        SigV4Auth(credentials.get_frozen_credentials(), "glue", region).add_auth(request)
        answer = self._http.send(request.prepare())
        if answer.status_code >= 300:
            raise _kind(answer.status_code)(f"{method} {path}: {answer.status_code} {answer.text}")
        return dict(json.loads(answer.content)) if answer.content else {}


def create_database(name: str) -> dict[str, Any]:
    """Create a database of the account's own catalog where there is none of the name. Raises LaterError where
    the rights for it are not known yet."""
    session: Any = boto3.Session()
    glue: Any = session.client("glue")
    try:
        glue.create_database(DatabaseInput={"Name": name})
    except glue.exceptions.AlreadyExistsException:
        return {"database": name, "steps": []}
    except glue.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            raise LaterError(str(error)) from None
        raise
    return {"database": name, "steps": [f"create {name}"]}


def _kind(status: int) -> type[CatalogError]:
    if status == 404:
        return MissingError
    return LaterError if status in (403, 409, 429) or status >= 500 else CatalogError

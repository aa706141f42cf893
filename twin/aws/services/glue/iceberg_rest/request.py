"""A request of Iceberg's REST endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.glue.operations import federated
from twin.aws.validation.moto_state import Look


@dataclass(frozen=True)
class CatalogRequest:
    """A request, and Glue in the name of its caller. of: the namespace. name: the table. bucket: the table
    bucket whose catalog it is about; empty for the account's own."""

    call: Call
    front: Any
    me: Inside
    of: str = ""
    name: str = ""
    bucket: str = ""

    def glue(self, operation: str, **params: Any) -> dict[str, Any]:
        """Call Glue in the caller's name. Raises Refusal."""
        if self.bucket:
            params["CatalogId"] = federated.catalog_id(self.front.instance.account, self.bucket)
        return self.me.call("glue", operation, **params)

    @property
    def path(self) -> str:
        """The database's name, or its path where it is a table bucket's."""
        return f"{federated.S3_TABLES}/{self.bucket}/{self.of}" if self.bucket else self.of

    @property
    def databases(self) -> federated.Databases:
        """The databases of all catalogs."""
        return federated.databases(self.look)

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON object."""
        try:
            document: Any = json.loads(self.call.body or b"{}")
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Refusal("BadRequestException", "The request's body is no JSON object")
        return document

    @property
    def look(self) -> Look:
        """moto's state, as the caller's."""
        front, key = self.front, self.call.access_key
        return Look(front.moto, self.call.region, lambda: front.identity.principal_arn(key))


def reported(body: dict[str, Any] | None, status: int = 200) -> Answer:
    """An answer in JSON, or with nothing in it."""
    text = b"" if body is None else json.dumps(body).encode()
    return Answer(status, [("Content-Type", "application/json")], text)

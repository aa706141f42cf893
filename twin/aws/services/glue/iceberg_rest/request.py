"""A request of Iceberg's REST endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.glue.operations import federated
from twin.aws.validation.moto_state import MotoState


@dataclass(frozen=True)
class CatalogRequest:
    """A request, and Glue in the name of its caller. of: the namespace. name: the table. bucket: the table
    bucket whose catalog it is about; empty for the account's own."""

    call: Call
    server: Any
    me: Inside
    of: str = ""
    name: str = ""
    bucket: str = ""

    def glue(self, operation: str, **params: Any) -> dict[str, Any]:
        """Call Glue in the caller's name. Raises Refusal."""
        if self.bucket:
            params["CatalogId"] = federated.catalog_id(self.server.instance.account, self.bucket)
        return self.me.call("glue", operation, **params)

    @property
    def path(self) -> str:
        """The database's name, or its path where it is a table bucket's."""
        return f"{federated.S3_TABLES}/{self.bucket}/{self.of}" if self.bucket else self.of

    @property
    def databases(self) -> federated.Databases:
        """The databases of all catalogs."""
        return federated.databases(self.moto_state)

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
    def moto_state(self) -> MotoState:
        """moto's state, as the caller's."""
        server, key = self.server, self.call.access_key
        return MotoState(server.moto, self.call.region, lambda: server.identity.principal_arn(key))


def reported(body: dict[str, Any] | None, status: int = 200) -> Answer:
    """An answer in JSON, or with nothing in it."""
    text = b"" if body is None else json.dumps(body).encode()
    return Answer(status, [("Content-Type", "application/json")], text)

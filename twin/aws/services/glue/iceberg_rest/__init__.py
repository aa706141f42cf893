"""Glue's Iceberg REST endpoint, `<API server>/iceberg`, as Iceberg's clients call it.

Each request becomes the calls of Glue's API that it is for, made in its caller's name: IAM and Lake
Formation decide on those. Glue developer guide, "AWS Glue REST APIs for Apache Iceberg specifications";
errors and answers as in Iceberg's REST catalog specification.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import signature
from twin.aws.services.glue.iceberg_rest import namespaces, tables
from twin.aws.services.glue.iceberg_rest.request import CatalogRequest, reported

LOG = logging.getLogger(__name__)
PATH: Final = "/iceberg/v1/"
Handler = Callable[[CatalogRequest], Answer]

_CLIENTS: Final = 16
"""How many callers' clients are kept."""


class Rest:
    """The endpoint of one instance."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._clients: dict[str, Inside] = {}

    def serves(self, call: Call) -> bool:
        """Whether a request is for this endpoint."""
        return call.path.startswith(PATH) and (call.service == "glue" or not call.access_key)

    def answer(self, call: Call) -> Answer:
        """Answer a request; what is refused, too."""
        try:
            return self._answer(call)
        except Refusal as error:
            return refused(error)
        except NotImplementedError as error:
            return refused(Refusal("UnsupportedOperationException", f"not in the twin: {error}", 501))
        except Exception:
            # A defect of the twin: the log reports where.
            LOG.exception("%s %s failed in the twin", call.method, call.path)
            return refused(Refusal("TwinDefect", "failed in the twin itself; see its log", 501))

    def _answer(self, call: Call) -> Answer:
        server = self._server
        server.faults.strike(call)
        if not call.access_key:
            raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
        server.identity.known(call)
        signature.verify(call, str(server.identity.secret(call.access_key)))
        path = call.environ.get("RAW_URI", call.path).partition("?")[0].removeprefix(PATH)
        for method, pattern, handle in _ROUTES:
            match = pattern.fullmatch(path)
            if match is not None and method == call.method:
                names = {name: unquote(value) for name, value in match.groupdict().items()}
                bucket = namespaces.bucket_of(
                    call, server, names.pop("catalog", server.instance.account), ":"
                )
                return handle(CatalogRequest(call, server, self._client(call), **names, bucket=bucket))
        raise NotImplementedError(f"{call.method} {call.path}: tables are listed, loaded and committed to")

    def _client(self, call: Call) -> Inside:
        key = f"{call.access_key}/{call.region}"
        if key not in self._clients:
            while len(self._clients) >= _CLIENTS:
                self._clients.pop(next(iter(self._clients)))
            self._clients[key] = Inside(self._server, call.access_key, call.region)
        return self._clients[key]


def refused(error: Refusal) -> Answer:
    """A refusal as Iceberg's clients read it."""
    status, kind = _ERRORS.get(error.code, (error.status, error.code))
    return reported({"error": {"message": error.message, "type": kind, "code": status}}, status)


_ERRORS: Final = {
    "AccessDeniedException": (403, "AccessDeniedException"),
    "UnrecognizedClientException": (403, "UnrecognizedClientException"),
    "ExpiredTokenException": (403, "ExpiredTokenException"),
    "PermissionTypeMismatchException": (403, "AccessDeniedException"),
    "EntityNotFoundException": (404, "EntityNotFoundException"),
    "NoSuchTableException": (404, "NoSuchTableException"),
    "NoSuchNamespaceException": (404, "NoSuchNamespaceException"),
    "AlreadyExistsException": (409, "AlreadyExistsException"),
    "CommitFailedException": (409, "CommitFailedException"),
    "ConcurrentModificationException": (409, "CommitFailedException"),
    "InvalidInputException": (400, "BadRequestException"),
    "BadRequestException": (400, "BadRequestException"),
}

_CATALOG: Final = r"catalogs/(?P<catalog>[^/]+)"
_NAMESPACE: Final = rf"{_CATALOG}/namespaces/(?P<of>[^/]+)"
_TABLE: Final = rf"{_NAMESPACE}/tables/(?P<name>[^/]+)"
_ROUTES: Final[list[tuple[str, re.Pattern[str], Handler]]] = [
    (method, re.compile(pattern), handle)
    for method, pattern, handle in (
        ("GET", "config", namespaces.config),
        ("GET", rf"{_NAMESPACE}/tables", tables.list_tables),
        ("GET", _TABLE, tables.load),
        ("POST", _TABLE, tables.commit),
    )
]

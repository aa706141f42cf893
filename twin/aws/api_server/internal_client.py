"""boto3 without a network: calls of this process go to the API server directly, through rules and journal."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from twin.aws.api_server.request import Call, Refusal, environ_of
from twin.aws.context import session
from twin.aws.validation.parameters import operation_model

SERVICE_HEADER = "HTTP_X_TWIN_SERVICE"


class Inside:
    """AWS services as another AWS service sees them, or as someone in whose name a service asks.

    access_key: of someone in whose name it is asked; empty where the service asks for itself, which
    no one's policies are asked about. region: the instance's own, where none is given.
    """

    def __init__(self, server: Any, access_key: str = "", region: str = "") -> None:
        self._server = server
        self._access_key = access_key
        self._region = region or server.instance.region
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def call(self, service: str, operation: str, intent: str = "", **params: Any) -> dict[str, Any]:
        """Call an operation by boto3's name, once under one intent. Raises Refusal."""
        token = _INTENT.__dict__.get("intent", "")
        _INTENT.intent = intent
        client = self.client(service)
        if intent:
            # botocore would draw another token each time, and the call would be another one.
            members = operation_model(service, client.meta.method_to_api_mapping[operation])
            for name in members.idempotent_members:
                params.setdefault(name, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{intent}/{operation}")))
        try:
            return getattr(client, operation)(**params)
        except ClientError as error:
            error_body: Any = error.response.get("Error", {})
            raise Refusal(error_body.get("Code", "Unknown"), error_body.get("Message", str(error))) from error
        finally:
            _INTENT.intent = token

    def client(self, service: str) -> Any:
        """boto3's client of a service. Its calls raise ClientError, as boto3's do."""
        with self._lock:
            if service not in self._clients:
                client: Any = self._session.client(  # type: ignore[call-overload]
                    service,  # pyright: ignore[reportArgumentType]
                    endpoint_url="http://127.0.0.1",
                    config=Config(retries={"max_attempts": 0}, parameter_validation=False),
                )
                client.meta.events.register("before-send", self._send)
                self._clients[service] = client
            return self._clients[service]

    @cached_property
    def _session(self) -> boto3.session.Session:
        return session(
            access_key=self._access_key or "AKIATWINSERVICE00000",
            secret_key="none",  # noqa: S106 - no one looks at the signature of a call from inside
            token=self._server.identity.token(self._access_key),
            region=self._region,
        )

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        url = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        headers = [(name, _text(value)) for name, value in request.headers.items()]
        body: Any = request.body or b""
        body = body.encode() if isinstance(body, str) else body.read() if hasattr(body, "read") else body
        environ = environ_of(request.method, url, headers, body)
        if not self._access_key:
            environ[SERVICE_HEADER] = "eks"
        if _INTENT.__dict__.get("intent"):
            environ["HTTP_X_TWIN_INTENT"] = _INTENT.intent
        call = Call.of(environ)
        try:
            answer = self._server.call(call, trusted=not self._access_key)
        except Refusal as error:
            from twin.aws.api_server.request import refusal

            answer = refusal(call, error)
        reported: Any = dict(answer.headers)
        return AWSResponse(request.url, answer.status, reported, _Raw(answer.body))


_INTENT = threading.local()


class _Raw(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

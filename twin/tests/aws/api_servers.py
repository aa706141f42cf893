"""An AWS API server in the test's own process, and boto3 clients that reach it without a network."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from twin import instances
from twin.aws.api_server.request import environ_of
from twin.aws.api_server.server import ApiServer
from twin.aws.context import AwsContext, session
from twin.aws.credentials import deployer


class _Raw(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


class Direct:
    """What a provider's context takes for its clients."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, service: str, _: str) -> Any:
        """The client of a service; an API server has one region."""
        return self._clients(service)


class Clients:
    """boto3 clients of an API server. intent: the X-Twin-Intent of the calls, if any.

    credentials: Credentials as STS gives them; the deployer's where there are none.
    """

    def __init__(self, server: ApiServer, credentials: Mapping[str, Any] | None = None) -> None:
        self.server = server
        self._credentials = credentials
        self.intent = ""
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            config = Config(
                retries={"max_attempts": 0}, parameter_validation=False, s3={"addressing_style": "path"}
            )
            client: Any = self._session.client(service, endpoint_url="http://127.0.0.1", config=config)  # type: ignore[call-overload]
            client.meta.events.register("before-send", self._send)
            self._clients[service] = client
        return self._clients[service]

    @cached_property
    def _session(self) -> Session:
        key = deployer(self.server.instance)
        return session(
            access_key=self._credentials["AccessKeyId"] if self._credentials else key.access_key_id,
            secret_key=self._credentials["SecretAccessKey"] if self._credentials else key.secret_access_key,
            token=self._credentials["SessionToken"] if self._credentials else None,
            region=self.server.instance.region,
        )

    def context(self) -> AwsContext:
        """A provider's context that calls this API server."""
        instance = self.server.instance
        direct: Any = Direct(self)
        return AwsContext(instance.region, instance.account, "aws", direct)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        url = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        headers = [(n, v.decode() if isinstance(v, bytes) else str(v)) for n, v in request.headers.items()]
        body: Any = request.body or b""
        body = body.encode() if isinstance(body, str) else body.read() if hasattr(body, "read") else body
        environ = environ_of(request.method, url, headers, body)
        if self.intent:
            environ["HTTP_X_TWIN_INTENT"] = self.intent
        answer = self.server.handle(environ)
        headers: Any = dict(answer.headers)
        return AWSResponse(request.url, answer.status, headers, _Raw(answer.body))


@contextmanager
def opened(home: Path) -> Iterator[Clients]:
    """Clients of a new API server, in this home. One at a time: a process has one moto."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(home))
        from twin.aws.api_server.deterministic_moto import forget

        forget()  # what a plain moto server of other tests holds in this process
        clients = Clients(ApiServer(instances.create("unit")))
        yield clients
        clients.server.close()
        forget()

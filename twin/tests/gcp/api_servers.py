"""An instance's Google in this process, and google-api-python-client on it: no port, no thread."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import httplib2
import pytest
from googleapiclient.discovery import Resource, build_from_document
from googleapiclient.errors import HttpError

from twin.gcp.api_server import discovery
from twin.gcp.api_server.server import ApiServer
from twin.gcp.credentials import deployer
from twin.instances import Instance

PROJECT = "acme-ml-dev"
REGION = "us-central1"
BASE = "http://front"


class Wire:
    """httplib2's request, answered by an API server."""

    def __init__(self, server: ApiServer, token: str, headers: Mapping[str, str]) -> None:
        self.server = server
        self.token = token
        self.headers = dict(headers)

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """One request."""
        parts = urlsplit(uri)
        raw = body.encode() if isinstance(body, str) else body or b""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(parts.path),
            "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
            "QUERY_STRING": parts.query,
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
        }
        if self.token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        for name, value in {**(headers or {}), **self.headers}.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        answer = self.server.handle(environ)
        response = httplib2.Response({"status": str(answer.status), **dict(answer.headers)})
        return response, answer.body

    def close(self) -> None:
        """Nothing is held."""


class Kept:
    """A service or a resource of one, whose resources are made once: each time takes 30 ms."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._below: dict[str, Kept] = {}

    def __getattr__(self, name: str) -> Any:
        if name in self._below:
            return lambda: self._below[name]
        method = getattr(self._resource, name)

        def call(*positional: Any, **named: Any) -> Any:
            response = method(*positional, **named)
            if isinstance(response, Resource):
                return self._below.setdefault(name, Kept(response))
            return response

        return call


@functools.cache
def _document(api: str, version: str) -> dict[str, Any]:
    return json.loads((discovery.folder() / f"{api}.{version}.json").read_bytes())


_CLIENTS: dict[tuple[Any, ...], tuple[Any, Wire]] = {}


def client(
    server: ApiServer, api: str, version: str = "v1", *, token: str | None = None, **headers: str
) -> Any:
    """google-api-python-client's service of an API. headers: with `_` for `-`, of every request.

    What it makes of a document is slow and is kept: the service is pointed at the API server that asked last.
    """
    key = (api, version, token, *headers.items())
    if key not in _CLIENTS:
        _CLIENTS[key] = _client(server, api, version, headers)
    service, wire = _CLIENTS[key]
    wire.server = server
    wire.token = deployer(server.instance).access_token if token is None else token
    return service


def _client(server: ApiServer, api: str, version: str, headers: dict[str, str]) -> tuple[Any, Wire]:
    document = _document(api, version)
    host = document["rootUrl"].split("//")[1].strip("/")
    wire = Wire(server, "", {name.replace("_", "-"): value for name, value in headers.items()})
    options = {"api_endpoint": f"{BASE}/{host}/{document.get('servicePath', '')}"}
    return Kept(build_from_document(document, http=wire, client_options=options)), wire


def make(name: str = "acme") -> ApiServer:
    """The front of an instance in AIPLATFORM_HOME, new or as it was."""
    server = ApiServer(Instance(name, "gcp", REGION, PROJECT))  # it listens on no port
    server.operation_seconds = 0  # tests of operations set it
    return server


def enable(server: ApiServer, *services: str) -> None:
    """Enable services of the project (`compute`)."""
    names = [f"{service}.googleapis.com" for service in services]
    client(server, "serviceusage").services().batchEnable(
        parent=f"projects/{PROJECT}", body={"serviceIds": names}
    ).execute()


class Refused:
    """What a refusal said: `code`, `reason`, `status`, `message`."""

    def __init__(self, error: HttpError) -> None:
        body = json.loads(error.content)["error"]
        self.code: int = body["code"]
        self.message: str = body["message"]
        self.status: str = body.get("status", "")
        self.reason: str = (body.get("errors") or [{}])[0].get("reason", "")


def refused(request: Any) -> Refused:
    """Execute a request that must be refused."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    return Refused(caught.value)


def network(server: ApiServer, name: str = "net", **more: Any) -> str:
    """A custom mode network; answers its self link."""
    compute = client(server, "compute")
    compute.networks().insert(
        project=PROJECT, body={"name": name, "autoCreateSubnetworks": False, **more}
    ).execute()
    return compute.networks().get(project=PROJECT, network=name).execute()["selfLink"]


def subnetwork(server: ApiServer, name: str = "nodes", cidr: str = "10.0.0.0/20", **more: Any) -> str:
    """A subnetwork of `net`; answers its self link."""
    compute = client(server, "compute")
    body = {"name": name, "network": "global/networks/net", "ipCidrRange": cidr, **more}
    compute.subnetworks().insert(project=PROJECT, region=REGION, body=body).execute()
    return compute.subnetworks().get(project=PROJECT, region=REGION, subnetwork=name).execute()["selfLink"]

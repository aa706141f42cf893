"""The kubelets' port: logs and port forwarding of Pods that run here.

The API server reaches it through the relay (twin.kubernetes.egress), whose socket is the owner's; no port of
this machine leads here, so the requests need no credential.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from twin.kubernetes.certificates import Pki
from twin.kubernetes.processes import logs, port_forward
from twin.kubernetes.processes.container import Container
from twin.kubernetes.processes.logs import Selection
from twin.kubernetes.processes.pod import Pod
from twin.kubernetes.relayed import Requests

log = logging.getLogger(__name__)

PORT: Final = 10250
_LOGS: Final = re.compile(r"/containerLogs/([^/]+)/([^/]+)/([^/]+)")
_FORWARD: Final = re.compile(r"/portForward/([^/]+)/([^/]+)(?:/[^/]+)?")
_SECONDS: Final = 3600.0
_CONNECT_SECONDS: Final = 5.0
Find = Callable[[str, str], Pod | None]
"""Returns the Pod of a namespace and name, where it runs here."""


class Kubelet:
    """Serves connections of the API server."""

    def __init__(self, pki: Pki, find: Find) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pki.certificate("kwok"), pki.key("kwok"))
        self._handler = type("Handler", (_Handler,), {"find": staticmethod(find)})

    def serve(self, connection: socket.socket) -> None:
        """Answer the requests of a connection, until it ends."""
        try:
            with self._context.wrap_socket(connection, server_side=True) as secured:
                self._handler(secured, ("relay", 0), None)  # pyright: ignore[reportArgumentType]
        except (OSError, ValueError) as error:
            log.info("a connection of the API server to a kubelet broke: %s", error)


class _RefusedError(Exception):
    """status: of the answer; the text is its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(Requests):
    timeout = _SECONDS
    rbufsize = 0  # no byte of what follows the request's head, which may be another protocol's
    find: Find

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        try:
            self._route(url.path, {name: values[0] for name, values in parse_qs(url.query).items()})
        except _RefusedError as error:
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": str(error)}
            self.say(error.status, json.dumps(status).encode(), "application/json")

    def _route(self, path: str, query: dict[str, str]) -> None:
        if match := _LOGS.fullmatch(path):
            self._logs(self._pod(match[1], match[2]), match[3], query)
        elif match := _FORWARD.fullmatch(path):
            self._forward(self._pod(match[1], match[2]))
        else:
            kind = path.split("/")[1]
            raise _RefusedError(501, f"the twin's kubelet serves no {kind}: logs and port-forward only")

    def _pod(self, namespace: str, name: str) -> Pod:
        pod = self.find(namespace, name)
        if pod is None:
            raise _RefusedError(
                404,
                f"Pod {namespace}/{name}: no process of it has run since the twin was started",
            )
        return pod

    def _logs(self, pod: Pod, name: str, query: dict[str, str]) -> None:
        container = pod.container(name)
        if container is None:
            raise _RefusedError(404, f"container {name} not found in pod {pod.name}")
        previous = query.get("previous") == "true"
        restarts = container.restarts - previous
        file = pod.launcher.log(name, restarts)
        if not file.exists():
            if previous:
                message = f'previous terminated container "{name}" in pod "{pod.name}" not found'
            elif container.image is None:
                message = f'container "{name}" in pod "{pod.name}" is simulated: its image is in no table'
            else:
                reason = (container.state.get("waiting") or {}).get("reason", "")
                message = f'container "{name}" in pod "{pod.name}" is waiting to start: {reason}'
            raise _RefusedError(400, message)
        follow = query.get("follow") == "true" and not previous
        running = _while_running(pod, container, restarts) if follow else None
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in logs.read(file, _selection(query), running):
            self._chunk(line)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _forward(self, pod: Pod) -> None:
        if not port_forward.accepts(self.headers):
            raise _RefusedError(400, f"unable to upgrade: expected {port_forward.UPGRADE}")
        self.send_response(101)
        self.send_header("X-Stream-Protocol-Version", port_forward.PROTOCOL)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", port_forward.UPGRADE)
        self.end_headers()
        self.close_connection = True
        client: Any = self.connection
        port_forward.Session(client, lambda port: _connect(pod, port)).run()


def _connect(pod: Pod, port: int) -> socket.socket:
    if not pod.listens(port):
        raise OSError(f"no process of Pod {pod.name} listens on port {port}")
    return socket.create_connection((pod.launcher.address, port), _CONNECT_SECONDS)


def _selection(query: dict[str, str]) -> Selection:
    numbers = {
        name: int(query[name]) for name in ("tailLines", "limitBytes", "sinceSeconds") if name in query
    }
    since = time.time() - numbers["sinceSeconds"] if "sinceSeconds" in numbers else None
    if "sinceTime" in query:
        since = datetime.fromisoformat(query["sinceTime"]).timestamp()
    return Selection(
        tail=numbers.get("tailLines"),
        since=since,
        limit_bytes=numbers.get("limitBytes"),
        timestamps=query.get("timestamps") == "true",
        stream=query.get("stream", "All"),
    )


def _while_running(pod: Pod, container: Container, restarts: int) -> Iterator[None]:
    while container.running and container.restarts == restarts and not pod.gone.is_set():
        yield

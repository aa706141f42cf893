"""Startup, readiness and liveness probes of a container."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from twin.toolchain.versions import read_versions

Object = Mapping[str, Any]
Execute = Callable[[Sequence[str], float], bool]
"""Runs a command in the container; whether it ended with 0 in time."""

_UNVERIFIED: Final = ssl._create_unverified_context


@cache
def user_agent() -> str:
    """Return the kubelet's, by which servers recognize a probe: `kube-probe/MAJOR.MINOR`."""
    return f"kube-probe/{read_versions().kubernetes.rpartition('.')[0]}"


def port_of(container: Object, port: int | str) -> int:
    """Return a port by number or by its name in the container. Raises ValueError."""
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or ():
        if declared.get("name") == port:
            return int(declared["containerPort"])
    return int(port)


def succeeds(handler: Object, container: Object, address: str, seconds: float, execute: Execute) -> bool:
    """Run a probe's or a hook's handler once. address: the Pod's on loopback.

    A probe of gRPC is a connection to its port: the health service is not called.
    """
    try:
        if "exec" in handler:
            return execute(handler["exec"].get("command") or [], seconds)
        if "httpGet" in handler:
            return _get(handler["httpGet"], container, address, seconds)
        if "sleep" in handler:
            time.sleep(handler["sleep"]["seconds"])
            return True
        target = handler.get("tcpSocket") or handler.get("grpc") or {}
        with socket.create_connection((address, port_of(container, target["port"])), timeout=seconds):
            return True
    except (OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError):
        return False


def _get(get: Object, container: Object, address: str, seconds: float) -> bool:
    port = port_of(container, get["port"])
    if (get.get("scheme") or "HTTP").upper() == "HTTPS":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            address, port, timeout=seconds, context=_UNVERIFIED()
        )
    else:
        connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        headers = {header["name"]: header["value"] for header in get.get("httpHeaders") or ()}
        connection.request("GET", get.get("path") or "/", headers={"User-Agent": user_agent(), **headers})
        return 200 <= connection.getresponse().status < 400
    finally:
        connection.close()


class Probe:
    """One probe: when it is due, and how often in a row it had one result."""

    def __init__(self, spec: Object, started: float) -> None:
        self.spec = spec
        self._due = started + (spec.get("initialDelaySeconds") or 0)
        self._result = False
        self._count = 0

    def run(self, now: float, container: Object, address: str, execute: Execute) -> bool | None:
        """Run it if it is due; return the result once a threshold is reached, else None."""
        if now < self._due:
            return None
        self._due = now + (self.spec.get("periodSeconds") or 10)
        seconds = self.spec.get("timeoutSeconds") or 1
        result = succeeds(self.spec, container, address, seconds, execute)
        self._count = self._count + 1 if result == self._result else 1
        self._result = result
        threshold = (
            self.spec.get("successThreshold") or 1 if result else self.spec.get("failureThreshold") or 3
        )
        return result if self._count >= threshold else None

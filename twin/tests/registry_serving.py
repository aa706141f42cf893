"""An API server that serves on a port, and its registry under the host name that it has in the cloud."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from twin import web
from twin.aws.server import Handler
from twin.registry.hosts import RegistryHosts


@contextmanager
def served(api_server: Any, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve an API server; this process reaches its registry, and trusts its authority."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        api_server.instance.ports["cloud"] = free.getsockname()[1]
    server = web.bind(api_server.instance, Handler)
    server.app = web.application(api_server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with RegistryHosts(api_server.instance) as hosts:
        for name, value in {**hosts.variables, "NO_PROXY": "127.0.0.1"}.items():
            patch.setenv(name, value)
        yield
    server.shutdown()
    server.server_close()
    thread.join()

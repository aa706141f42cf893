"""The way back to the engine: its log."""

from __future__ import annotations

import logging
import threading
from typing import Final

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_LOG: Final = logging.getLogger(__name__)
DEBUG: Final = engine_pb2.DEBUG
INFO: Final = engine_pb2.INFO
WARNING: Final = engine_pb2.WARNING
ERROR: Final = engine_pb2.ERROR


class Engine:
    """The engine that started this provider. Without one, messages go to the log alone."""

    def __init__(self) -> None:
        self._stub: engine_pb2_grpc.EngineStub | None = None
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def connect(self, address: str) -> None:
        """Use the engine at `host:port`, which it states on the command line and in the handshake."""
        if address:
            channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
            self._stub = engine_pb2_grpc.EngineStub(channel)

    def log(self, severity: int, message: str, urn: str = "") -> None:
        """Show a message to the user, at a resource if `urn` names one."""
        _LOG.debug("%s %s", urn, message)
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn)  # type: ignore[arg-type]
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError as error:
            _LOG.warning("the engine takes no message (%s): %s", error, message)

    def warn_once(self, key: str, message: str, urn: str = "") -> None:
        """Warn, but only the first time for this key."""
        with self._lock:
            if key in self._said:
                return
            self._said.add(key)
        self.log(WARNING, message, urn)

"""A proxy of a policy pack, until the engine has said which stack it is for.

A pack written in Python reads project, stack and configuration from environment
variables, so it cannot start before the engine's ConfigureStack; the engine on the
other hand talks to the plugin before it says so. The official host solves it in the
same way: the engine gets this server's port, the pack is started with what
ConfigureStack brought, and every other call is handed on as it is.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

SERVICE = "/pulumirpc.Analyzer/"
# A stack's resources in one message can be large: the engine sets no limit either.
CHANNEL_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
ATTACH_SECONDS = 60


class PolicyProxy(grpc.GenericRpcHandler):
    """An Analyzer service that hands on, in bytes, all that it need not understand."""

    def __init__(self) -> None:
        self._configured = threading.Event()
        self._settled = threading.Event()
        self._configuration: analyzer_pb2.AnalyzerStackConfigureRequest | None = None
        self._channel: grpc.Channel | None = None
        self._failure = "the policy pack ended before it served"
        self._unimplemented: set[str] = set()
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=CHANNEL_OPTIONS)
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def await_environment(self) -> dict[str, str]:
        """The pack's extra environment; waits until the engine configures the stack, or calls without."""
        self._configured.wait()
        configuration = self._configuration
        if configuration is None:
            return {}
        values = {
            "PULUMI_ORGANIZATION": configuration.organization,
            "PULUMI_PROJECT": configuration.project,
            "PULUMI_STACK": configuration.stack,
            "PULUMI_DRY_RUN": "true" if configuration.dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(configuration.config)) if configuration.config else "",
        }
        return {name: value for name, value in values.items() if value}

    def attach(self, port: int) -> None:
        """The pack serves on this port: let the waiting calls through."""
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
        try:
            if self._configuration is not None:
                stub = analyzer_pb2_grpc.AnalyzerStub(channel)
                stub.ConfigureStack(self._configuration, timeout=ATTACH_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            # Packs of an older SDK do not know the call.
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                channel.close()
                self.fail(f"the policy pack refused its configuration: {error.details()}")
                return
        self._channel = channel
        self._settled.set()

    def fail(self, reason: str) -> None:
        """The pack will not serve: calls that wait for it end with this reason."""
        if not self._settled.is_set():
            self._failure = reason
        self._settled.set()

    def close(self) -> None:
        """Serve no longer, and wake the threads that wait."""
        self._configured.set()
        self.fail(self._failure)
        self._server.stop(grace=None)
        if self._channel is not None:
            self._channel.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """gRPC asks here for the handler of each call."""
        method = handler_call_details.method
        # What the pack has not is asked of it once: the engine calls Remediate for every resource.
        if not method.startswith(SERVICE) or method in self._unimplemented:
            return None
        answered: dict[str, Callable[[bytes, grpc.ServicerContext], bytes]] = {
            SERVICE + "Handshake": self._handshake,
            SERVICE + "ConfigureStack": self._configure_stack,
        }
        return grpc.unary_unary_rpc_method_handler(answered.get(method) or self._forward(method))

    def _handshake(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        del request, context
        return analyzer_pb2.AnalyzerHandshakeResponse().SerializeToString()

    def _configure_stack(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        del context
        if not self._configured.is_set():
            self._configuration = analyzer_pb2.AnalyzerStackConfigureRequest.FromString(request)
        self._configured.set()
        return analyzer_pb2.AnalyzerStackConfigureResponse().SerializeToString()

    def _forward(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def forward(request: bytes, context: grpc.ServicerContext) -> bytes:
            if method == SERVICE + "Cancel" and not self._settled.is_set():
                return empty_pb2.Empty().SerializeToString()
            # `policy publish`, for one, calls without configuring a stack.
            self._configured.set()
            self._settled.wait()
            if self._channel is None:
                context.abort(grpc.StatusCode.UNAVAILABLE, self._failure)
            try:
                call: Any = self._channel.unary_unary(method)
                return call(request, wait_for_ready=True)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    self._unimplemented.add(method)
                context.abort(error.code(), error.details() or "")

        return forward

"""The plugin in a separate process, the recording engine that it registers resources with, and its errors."""

# ruff: noqa: N802 - gRPC's names
from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)
from pulumi.runtime.proto.engine_pb2_grpc import add_EngineServicer_to_server
from pulumi.runtime.proto.resource_pb2_grpc import add_ResourceMonitorServicer_to_server

from tests.components import recording

ROOT: Final = Path(__file__).parents[2]
AWS: Final = "urn:pulumi:dev::proj::pulumi:providers:aws::aws"
"""The provider that `construct` passes on, by default."""


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The recording monitor of the component tests, for a program in another process."""

    def __init__(self) -> None:
        # One at a time: it serialises in an event loop of the thread that calls it.
        self._lock = threading.Lock()
        self.inner = recording.monitor(project="proj", stack="dev")

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return self.inner.GetDeploymentInfo(request)

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id != "outputValues")

    def RegisterResource(self, request: Any, context: Any) -> Any:
        with self._lock:
            return self.inner.RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        with self._lock:
            return self.inner.RegisterResourceOutputs(request)

    def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        if request.tok == "pulumi:pulumi:getResource":
            # Providers are given by reference; a package that is loaded already looks its provider up.
            answer = provider_pb2.InvokeResponse()
            getattr(answer, "return").update({"urn": request.args["urn"], "id": "0001", "state": {}})
            return answer
        with self._lock:
            return self.inner.Invoke(request)


class Engine(engine_pb2_grpc.EngineServicer):
    """An engine that discards what the plugin logs."""

    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


@contextlib.contextmanager
def serving(add: Callable[[grpc.Server], None]) -> Iterator[str]:
    """A gRPC server; its address."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


class Served:
    """The running plugin."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub, monitors: contextlib.ExitStack) -> None:
        self.stub = stub
        # Served until the plugin ends: it may still call the monitor of a component whose construction it has
        # answered, and refuses everything else once such a call fails.
        self._monitors = monitors

    def construct(
        self, type_: str, name: str, inputs: Mapping[str, Any], provider: str = "aws"
    ) -> tuple[Any, Monitor]:
        """Construct a component by its camelCase inputs; the answer, and what it registered."""
        monitor = Monitor()
        arguments = struct_pb2.Struct()
        arguments.update(dict(inputs))
        address = self._monitors.enter_context(
            serving(lambda server: add_ResourceMonitorServicer_to_server(monitor, server))
        )
        request = provider_pb2.ConstructRequest(
            project="proj",
            stack="dev",
            type=type_,
            name=name,
            inputs=arguments,
            monitorEndpoint=address,
            providers={provider: f"{AWS.replace('aws', provider)}::0001"},
        )
        return self.stub.Construct(request, timeout=30), monitor


@contextlib.contextmanager
def started() -> Iterator[Served]:
    """The plugin in a separate process, as the engine runs it."""
    env = {**os.environ, "PYTHONPATH": "", "GRPC_VERBOSITY": "ERROR"}
    with (
        contextlib.ExitStack() as monitors,
        serving(lambda server: add_EngineServicer_to_server(Engine(), server)) as engine,
    ):
        command = [sys.executable, str(ROOT / "components"), engine]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as process:
            assert process.stdout is not None
            try:
                port = int(process.stdout.readline())
                with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                    yield Served(provider_pb2_grpc.ResourceProviderStub(channel), monitors)
            finally:
                process.terminate()


@contextlib.contextmanager
def refused() -> Iterator[dict[str, str]]:
    """Property path -> reason of an answer that refuses the arguments."""
    problems: dict[str, str] = {}
    with pytest.raises(grpc.RpcError) as caught:
        yield problems
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    details = errors_pb2.InputPropertiesError()
    status.details[0].Unpack(details)
    problems |= {problem.property_path: problem.reason for problem in details.errors}
    # Those whose value the engine cannot print.
    problems |= dict(re.findall(r"- property (\S+) has a problem: (.*)", error.details()))

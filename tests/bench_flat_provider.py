"""The provider of the flat program of `make bench-flat`: resource create takes as long as the cloud took.

Started by the bench, which hands its port to the engine (PULUMI_DEBUG_PROVIDERS). It creates nothing: a
resource has the outputs that were recorded of the real one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

THREADS: Final = 64


def key_of(type: str, name: str) -> str:
    """Return how a resource is called in the recording."""
    return f"{type}::{name}"


class FlatProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Sleeps, and answers with what was recorded."""

    def __init__(self, recording: dict[str, dict[str, Any]]) -> None:
        """recording: by `key_of`: `outputs`, and seconds of `create` and `delete`."""
        self._recording = recording

    def _recorded(self, urn: str) -> dict[str, Any]:
        kind, _, name = urn.rpartition("::")
        return self._recording[key_of(kind.rpartition("::")[2].rpartition("$")[2], name)]

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Return the version."""
        return plugin_pb2.PluginInfo(version="1.0.0")

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept the engine's address, which is not needed."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept any configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Report no change."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept any configuration."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept any inputs."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Compare the inputs."""
        same = request.olds == request.news or request.old_inputs == request.news
        none, some = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=none if same else some)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Wait as long as the cloud took, and return the recorded outputs."""
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        recorded = self._recorded(request.urn)
        time.sleep(recorded["create"])
        outputs = struct_pb2.Struct()
        outputs.update(recorded["outputs"])
        return provider_pb2.CreateResponse(id=request.urn.rpartition("::")[2] or "id", properties=outputs)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Wait as long as the cloud took."""
        time.sleep(self._recorded(request.urn)["delete"])
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Accept; nothing is under way for long."""
        return empty_pb2.Empty()


def main(file: Path) -> None:
    """Serve until stdin is closed; the port is the first line of stdout."""
    recording = {
        key_of(resource["type"], resource["name"]): resource for resource in json.loads(file.read_text())
    }
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(FlatProvider(recording), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201 - the bench reads the port here
    server.start()
    closed = threading.Thread(target=sys.stdin.read)
    closed.start()
    closed.join()
    server.stop(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

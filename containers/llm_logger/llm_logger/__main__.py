"""The server: `python -m llm_logger`. It ends by SIGTERM, after what waits is stored. Exit code 2: the
configuration is wrong."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Final

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from prometheus_client import start_http_server

from llm_logger import configuration
from llm_logger.batches import Batches
from llm_logger.processor import Processor
from llm_logger.storage import open_folder
from llm_logger.versions import Versions, read_by_api

_REFUSED: Final = 2
GRACE_SECONDS: Final = 5
"""Seconds that requests have to end, when the Pod ends."""
STORE_SECONDS: Final = 40
STREAMS: Final = 2000
"""Requests at a time. Envoy does not copy more, and they are answered all the same."""


async def serve(settings: configuration.Configuration) -> None:
    """Serve until SIGTERM or SIGINT."""
    folder = open_folder(settings.logs_uri)
    versions = Versions(read_by_api(settings.namespace))
    batches = Batches(settings.logged, settings.namespace, folder, versions)
    processor = Processor(settings.logged, batches.add)
    server = grpc.aio.server(maximum_concurrent_rpcs=STREAMS)
    external_processor_pb2_grpc.add_ExternalProcessorServicer_to_server(processor, server)
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    server.add_insecure_port(f"[::]:{settings.port}")
    metrics_server, _ = start_http_server(settings.metrics_port)
    await server.start()
    writing = asyncio.create_task(batches.run())
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    sys.stderr.write(f"serving at port {settings.port}, metrics at {settings.metrics_port}\n")
    await ended.wait()
    processor.is_stopping = True
    await healthy.enter_graceful_shutdown()
    await server.stop(GRACE_SECONDS)
    try:
        await asyncio.wait_for(asyncio.gather(batches.end(), writing), STORE_SECONDS)
    except TimeoutError:
        sys.stderr.write("records are lost: the bucket did not take them in time\n")
    metrics_server.shutdown()


def main() -> int:
    """Run the server."""
    try:
        settings = configuration.read()
        asyncio.run(serve(settings))
    except configuration.RefusedError as error:
        sys.stderr.write(f"error: {error}\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())

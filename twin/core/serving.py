"""The provider's process: its port on stdout, and an end that leaves nothing running."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from twin.provider_interface import CANCELLED

THREADS: Final = 32
"""Calls that run at once; the engine's own default is four times the number of cores."""
GRACE: Final = 10.0
"""Seconds that running calls get to end in after a SIGTERM."""
_WATCH: Final = 0.5
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
]


def start(provider: Any) -> tuple[grpc.Server, int]:
    """A running server on a free loopback port."""
    server = grpc.server(ThreadPoolExecutor(THREADS, "call"), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def run(provider: Any, log: Path) -> None:
    """Serve until SIGTERM, or until the parent (the engine) is gone.

    An engine that was killed cannot report it; without the watch its providers would stay, and a call that is
    still in progress could meet the next run's.
    """
    _logging(log)
    parent = os.getppid()
    stop = threading.Event()
    _signals(stop)
    provider.engine.connect(_address(sys.argv[1:]))
    server, port = start(provider)
    gc.collect()
    gc.freeze()
    print(port, flush=True)  # noqa: T201 - the engine reads the port here
    sys.stdout = sys.stderr  # whatever else prints must not reach the engine's pipe
    in_order = True
    while not stop.wait(_WATCH):
        if os.getppid() != parent:
            logging.getLogger(__name__).warning("the engine is gone; the provider ends")
            in_order = False
            break
    CANCELLED.set()
    server.stop(GRACE).wait(GRACE + 1)
    if in_order:
        provider.store.answered()
    provider.store.close()
    if not in_order:
        # The interpreter would wait for calls that are in progress, whose results have no reader.
        logging.shutdown()
        os._exit(1)


def _signals(stop: threading.Event) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    # The engine closes its plugins by SIGINT, and kills those that do not end within 5 s. It puts them into
    # a separate process group, so a Ctrl-C of the user's reaches only the engine.
    signal.signal(signal.SIGINT, end)


def _address(arguments: list[str]) -> str:
    """The engine's address: the last argument that is no flag."""
    plain = [argument for argument in arguments if not argument.startswith("-")]
    return plain[-1] if plain else ""


def _logging(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])

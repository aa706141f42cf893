"""The service that Envoy copies requests and answers to. In Envoy's observability mode it sends and goes on:
nothing is answered here, and no request waits."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from envoy.service.ext_proc.v3 import external_processor_pb2_grpc

from llm_logger import metrics
from llm_logger.completions import Openings
from llm_logger.configuration import Logged
from llm_logger.exchange import Budget, Exchange, Record

DETAILS: Final = "response.code_details"


class Processor(external_processor_pb2_grpc.ExternalProcessorServicer):
    """The service. store: takes a record, without waiting."""

    def __init__(
        self, logged: Logged, store: Callable[[Record], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._logged, self._store, self._clock = logged, store, clock
        self._openings, self._budget = Openings(logged.refusals), Budget()
        self.is_stopping = False

    async def Process(  # noqa: N802 - the method of the service
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[Any]:
        """Read the messages of one request."""
        exchange = Exchange(self._logged, self._openings, self._budget, self._clock)
        try:
            async for message in request_iterator:
                _read(exchange, message)
                if exchange.has_ended:
                    break
        except asyncio.CancelledError:
            # Envoy resets the stream where the client or the server disconnects.
            self._finish(exchange)
            raise
        except Exception as error:  # noqa: BLE001 - one request is not logged; the others are
            exchange.finish()
            metrics.REQUESTS.labels("error").inc()
            sys.stderr.write(f"a request is not logged: {type(error).__name__}: {error}\n")
            return
        self._finish(exchange)
        return
        yield  # it is a stream of answers, without any

    def _finish(self, exchange: Exchange) -> None:
        record = exchange.finish()
        # What ends with this program is not known to be aborted.
        if record is None or (self.is_stopping and not exchange.has_ended):
            metrics.REQUESTS.labels("other").inc()
            return
        metrics.REQUESTS.labels("logged").inc()
        self._store(record)


def _read(exchange: Exchange, message: Any) -> None:
    kind = message.WhichOneof("request")
    part = getattr(message, kind) if kind else None
    if kind == "request_headers":
        exchange.request_headers(_headers(part), is_end=part.end_of_stream)
    elif kind == "request_body":
        exchange.request_body(part.body, is_end=part.end_of_stream)
    elif kind == "response_headers":
        exchange.response_headers(_headers(part), _details(message), is_end=part.end_of_stream)
    elif kind == "response_body":
        exchange.response_body(part.body, is_end=part.end_of_stream)


def _details(message: Any) -> str:
    """Return the attribute of an answer that states what answered; empty without it."""
    for attributes in message.attributes.values():
        if DETAILS in attributes.fields:
            return attributes.fields[DETAILS].string_value
    return ""


def _headers(part: Any) -> Mapping[str, str]:
    # Envoy states values as bytes; other clients of this service as text.
    return {
        entry.key.lower(): entry.value or entry.raw_value.decode("utf-8", "replace")
        for entry in part.headers.headers
    }

"""What the cluster's gateway and KServe's agent do: a route with weights between two predictors, and a log of
requests.

In the cluster the rollout moves the weights of an HTTPRoute, and the agent of each Pod writes to the bucket
(docs/serving.md). Here one thread does both; records have the agent's form.
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

SERVED_BY: Final = "x-served-by"


@dataclass(frozen=True)
class Backend:
    """A predictor. address: of its server. version: of the release."""

    address: str
    version: str


@dataclass
class Route:
    """backends: color -> predictor. weights: color -> percent. clock: the time that records get."""

    model: str
    namespace: str
    clock: datetime
    backends: dict[str, Backend] = field(default_factory=dict[str, Backend])
    weights: dict[str, int] = field(default_factory=dict[str, int])
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    errors: Counter[str] = field(default_factory=Counter[str])
    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    seed: int = 20

    def __post_init__(self) -> None:
        self._random, self._lock = random.Random(self.seed), threading.Lock()  # noqa: S311 - no secret
        route = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, color, answer = route.forward(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.send_header(SERVED_BY, color)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Log nothing: the records are the log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """The address of the route."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def forward(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Return status, color and answer of one of the predictors, chosen by the weights."""
        with self._lock:
            [color] = self._random.choices(list(self.weights), list(self.weights.values()))
        backend, begin = self.backends[color], time.perf_counter()
        asked = urllib.request.Request(  # noqa: S310 - of this machine
            backend.address + path, body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as response:  # noqa: S310
                status, answer = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        except OSError as error:
            status, answer = 503, json.dumps({"error": str(error)}).encode()
        with self._lock:
            self.seconds.setdefault(color, []).append(time.perf_counter() - begin)
            self.errors[color] += status >= 500
            if status == 200:
                self._log(color, backend.version, body, answer)
        return status, color, answer

    def _log(self, color: str, version: str, body: bytes, answer: bytes) -> None:
        identifier = uuid.uuid4().hex
        for kind, content in (("request", body), ("response", answer)):
            self.records.append(
                {
                    "bytes": base64.b64encode(content).decode(),
                    "contentType": "application/json",
                    "reqType": f"org.kubeflow.serving.inference.{kind}",
                    "id": identifier,
                    "inferenceService": f"{self.model}-{color}",
                    "namespace": self.namespace,
                    "component": "predictor",
                    "annotations": {"ai-platform/release": version},
                    "occurrenceTime": self.clock.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
                }
            )

    def taken(self) -> Mapping[str, bytes]:
        """Return the objects of the records so far, key -> content, as the agent writes them, and forget
        these."""
        with self._lock:
            records, self.records = self.records, []
        of_service: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            of_service.setdefault(record["inferenceService"], []).append(record)
        return {
            f"{self.namespace}/{service}/predictor/requests/{uuid.uuid4().hex}-request.json": json.dumps(
                of
            ).encode()
            for service, of in of_service.items()
        }

    def close(self) -> None:
        """End the route."""
        self._server.shutdown()
        self._server.server_close()

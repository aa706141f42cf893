"""Measurements, from answers of Prometheus."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from model_rollout.measurement import MeasurementError, Prometheus, quantile

CLUSTER = "httproute/pricing/fares/rule/0/backend/1"
Samples = dict[str, dict[tuple[tuple[str, str], ...], dict[str, float]]]


class Server(ThreadingHTTPServer):
    """A server of Prometheus. samples: metric -> labels -> time -> value. failures: answers with 503."""

    samples: Samples
    failures = 0


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        query = parse_qs(urlparse(self.path).query)
        expression, at = query["query"][0], query["time"][0]
        if self.server.failures:
            self.server.failures -= 1
            self.send_error(503)
            return
        name = "up" if expression.startswith("count(up{") else expression.split("{")[0]
        assert name == "up" or CLUSTER in expression
        result = [
            {"metric": dict(labels), "value": [float(at), str(values[at])]}
            for labels, values in self.server.samples.get(name, {}).items()
            if at in values
        ]
        body = json.dumps({"status": "success", "data": {"result": result}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server(("127.0.0.1", 0), Handler)
    started.samples = {"up": {(): {"200.000": 1.0}}}
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


def measured(server: Server) -> Any:
    return Prometheus(f"http://127.0.0.1:{server.server_port}").measure(CLUSTER, 100, 200)


def _count(status: str, pod: str, **values: float) -> Any:
    labels = (("envoy_response_code_class", status), ("pod", pod))
    return labels, {f"{at[1:]}.000": value for at, value in values.items()}


def test_counters_are_compared_by_their_samples(server: Server) -> None:
    server.samples["envoy_cluster_upstream_rq_xx"] = dict(
        [
            _count("2", "envoy-1", t100=1000, t200=1090),
            # Its first sample is its first error.
            _count("5", "envoy-1", t200=6),
            # It began again at zero.
            _count("2", "envoy-2", t100=5000, t200=4),
        ]
    )
    answer = measured(server)
    assert (answer.requests, answer.errors) == (100, 6)
    assert answer.error_rate == pytest.approx(0.06)
    assert math.isnan(answer.p95_ms)


def test_p95_is_of_the_requests_between_the_two_times(server: Server) -> None:
    def bucket(bound: str, before: float, after: float) -> Any:
        return (("le", bound),), {"100.000": before, "200.000": after}

    server.samples["envoy_cluster_upstream_rq_time_bucket"] = dict(
        [bucket("10", 900, 990), bucket("100", 900, 1000), bucket("+Inf", 900, 1000)]
    )
    assert measured(server).p95_ms == pytest.approx(55)


def test_without_requests_nothing_is_measured(server: Server) -> None:
    answer = measured(server)
    assert (answer.requests, answer.errors, answer.error_rate) == (0, 0, 0)


def test_gateway_that_is_not_read_is_no_gateway_without_requests(server: Server) -> None:
    server.samples = {}
    with pytest.raises(MeasurementError, match="Prometheus reads no metrics of the gateway"):
        measured(server)


def test_answer_that_fails_is_requested_again(server: Server) -> None:
    server.failures = 2
    assert measured(server).requests == 0
    server.failures = 50
    with pytest.raises(MeasurementError, match="503"):
        measured(server)


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({10.0: 95, 100.0: 100, math.inf: 100}, 10),
        ({10.0: 0, 100.0: 100, math.inf: 100}, 95.5),
        ({10.0: 0, 100.0: 50, math.inf: 100}, 100),
        ({}, math.nan),
        ({10.0: 0, math.inf: 0}, math.nan),
    ],
)
def test_quantile_is_interpolated(buckets: dict[float, float], expected: float) -> None:
    assert quantile(0.95, buckets) == pytest.approx(expected, nan_ok=True)

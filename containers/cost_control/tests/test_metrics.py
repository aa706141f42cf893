"""The use of GPUs, by hand-written answers of Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from cost_control import metrics
from cost_control.metrics import Gpu

PROFILED, UTILIZATION = metrics.METRICS


def labels(gpu: str = "GPU-0", **more: str) -> dict[str, str]:
    return {"namespace": "vision", "pod": "train-0", "UUID": gpu, **more}


def answers(series: dict[str, list[tuple[dict[str, str], float, float]]]) -> metrics.Query:
    """Return queries that answer with the busiest value and the samples of each series of a metric."""

    def query(expression: str) -> list[tuple[metrics.Labels, float]]:
        [metric] = [name for name in metrics.METRICS if name in expression]
        counts = expression.startswith("count_over_time")
        return [(entry, samples if counts else most) for entry, most, samples in series.get(metric, [])]

    return query


def test_use_is_that_of_every_metric_that_exists() -> None:
    query = answers({PROFILED: [(labels(), 0.002, 46)], UTILIZATION: [(labels(), 30, 48)]})
    assert metrics.usage(query, 4) == {("vision", "train-0"): [Gpu(0.3, 1.0)]}
    assert metrics.usage(answers({}), 4) == {}


def test_parts_of_a_gpu_are_counted_apart() -> None:
    parts = [(labels(GPU_I_ID=part), 0.0, 48) for part in ("1", "2")]
    [known] = metrics.usage(answers({PROFILED: parts}), 4).values()
    assert known == [Gpu(0, 1), Gpu(0, 1)]


@pytest.mark.parametrize(
    ("gpus", "requested", "idle"),
    [
        ([Gpu(0, 1)], 1, True),
        ([Gpu(0.009, 0.9)], 1, True),
        ([Gpu(0.01, 1)], 1, False),
        ([Gpu(0, 0.89)], 1, False),
        ([Gpu(0, 1), Gpu(0.5, 1)], 2, False),
        ([Gpu(0, 1)], 2, False),
        ([], 1, False),
        ([], 0, False),
    ],
    ids=[
        "no use",
        "nearly none",
        "some",
        "a part of the time is not measured",
        "another GPU is used",
        "another GPU is not measured",
        "none is measured",
        "none is requested or measured",
    ],
)
def test_only_what_is_measured_is_idle(gpus: list[Gpu], requested: int, idle: bool) -> None:
    assert metrics.is_idle(gpus, requested) is idle


def test_value_that_is_no_number_is_no_idleness() -> None:
    query = answers({PROFILED: [(labels(), float("nan"), 48)]})
    [[gpu]] = metrics.usage(query, 4).values()
    assert not metrics.is_idle([gpu], 1)


class Server(ThreadingHTTPServer):
    """A Prometheus that answers with a text, and records its queries."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.text = 200, ""
        self.asked: list[tuple[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers its requests."""

    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, parse_qs(body)["query"][0]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


def ask(server: Server) -> dict[metrics.Pod, list[Gpu]]:
    return metrics.usage(metrics.prometheus(f"http://127.0.0.1:{server.server_port}/"), 4)


def test_answer_in_the_documented_form_is_read(server: Server) -> None:
    result = [{"metric": labels(), "value": [1767225600.781, "48"]}]
    data = {"resultType": "vector", "result": result}
    server.text = json.dumps({"status": "success", "data": data, "warnings": ["a remote store is slow"]})
    assert ask(server) == {("vision", "train-0"): [Gpu(48, 1)]}
    assert {path for path, _ in server.asked} == {"/api/v1/query"}
    assert server.asked[0][1] == (
        "max by (namespace, pod, UUID, GPU_I_ID) (max_over_time("
        'DCGM_FI_PROF_GR_ENGINE_ACTIVE{pod!="", namespace!="kube-system"}[4h]))'
    )
    assert server.asked[1][1].endswith("[4h:5m])")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error"})),
        (503, "no healthy upstream"),
        (200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}})),
        (
            200,
            json.dumps({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}}),
        ),
        (200, json.dumps({"status": "success"})),
        (200, json.dumps([])),
        (
            200,
            json.dumps(
                {
                    "status": "success",
                    "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "x"]}]},
                }
            ),
        ),
    ],
)
def test_answer_of_another_form_is_an_error(server: Server, status: int, text: str) -> None:
    server.status, server.text = status, text
    with pytest.raises(ValueError, match=r"Prometheus|Expecting value|could not convert"):
        ask(server)

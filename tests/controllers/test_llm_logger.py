"""Requests to a language model through a real Envoy, which copies them to the logger by the policy.

A stream reaches its client as it is sent while the logger runs, while it is down and while it hangs.
"""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.gateway import routes
from aiplatform.serving import llm_logs
from tests.components.aiplatform.gateway.example import settings
from tests.containers.test_llm_logger import PROGRAM
from tests.controllers.envoy import AUDIENCE, HOST, ISSUER, PORT, Backend, Front, Tokens
from twin.kubernetes.envoy_gateway.proxy import shifted
from twin.kubernetes.processes import addresses
from twin.tests.waiting import eventually

TOKENS: Final = Tokens()
PATH: Final = "/search/chat/v1/chat/completions"
PROMPT: Final = "Hello"
LATE: Final = 0.5
"""Seconds that a part of a stream may take from the server to the client. A logger that held it back would
take until the stream ends."""
MIB: Final = 1 << 20


@dataclass
class Model(Backend):
    """A language model, whose answer is a stream of `words` with `pause` seconds between them."""

    words: int = 10
    pause: float = 0.1
    filler: str = ""

    @contextmanager
    def serving(self) -> Iterator[None]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    for number in range(model.words):
                        end = "stop" if number == model.words - 1 else None
                        delta = {"content": f"word {model.filler}"}
                        self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
                        time.sleep(model.pause)
                    self._event(
                        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": model.words}}
                    )
                    self._part(b"data: [DONE]\n\n")
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    """The client is gone."""

            def _event(self, content: dict[str, Any]) -> None:
                self._part(f"data: {json.dumps({**content, 'sent': time.monotonic()})}\n\n".encode())

            def _part(self, data: bytes) -> None:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:
                """Requests are not logged."""

        server = ThreadingHTTPServer((addresses.loopback(self.pod) or "", PORT), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


class Bucket:
    """S3, as far as the logger calls it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            # Clients of S3 wait for `100 Continue`.
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                bucket.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Requests are not logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def values(self) -> list[dict[str, Any]]:
        """Return what was measured, of all objects."""
        records = [record for data in self.objects.values() for record in json.loads(data)]
        return [json.loads(base64.b64decode(record["bytes"]))["instances"][0] for record in records]


@dataclass
class Logger:
    """The logger as a Pod of this machine, which starts and ends."""

    python: str
    folder: Path
    bucket: Bucket
    port: int = 0
    metrics_port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port, self.metrics_port = _free(), _free()
        file = {"services": {"chat": {"batch_size": 1, "payloads": False}}, "refusals": []}
        (self.folder / "logger.json").write_text(json.dumps(file))

    def start(self) -> None:
        variables = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "LOGGER_FILE": str(self.folder / "logger.json"),
            "LOGS_URI": "s3://logs/logs",
            "NAMESPACE": "search",
            "PORT": str(self.port),
            "METRICS_PORT": str(self.metrics_port),
            "AWS_ENDPOINT_URL": self.bucket.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            # Versions are not known; the container's tests read them.
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": "1",
        }
        self.process = subprocess.Popen([self.python, "-m", "llm_logger"], cwd=PROGRAM.folder, env=variables)
        eventually("the logger listens", lambda: _listens(self.port), 120)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def objects(self) -> dict[str, dict[str, Any]]:
        """Return its Service and its Pod by collection, with the component's name and port."""
        metadata = {"name": llm_logs.NAME, "namespace": "search"}
        service = {
            "name": "grpc",
            "port": llm_logs.PORT,
            "protocol": "TCP",
            "appProtocol": "kubernetes.io/h2c",
        }
        return {
            "services": {"metadata": metadata, "spec": {"clusterIP": "10.96.77.50", "ports": [service]}},
            "endpointslices": {
                "metadata": {**metadata, "labels": {"kubernetes.io/service-name": llm_logs.NAME}},
                "ports": [{"name": "grpc", "port": self.port, "protocol": "TCP"}],
                "endpoints": [{"addresses": ["100.96.77.50"], "conditions": {"ready": True}}],
            },
        }


def _free() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as opened:
        return opened.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Gateway:
    """A gateway with a language model and a logger."""

    front: Front
    model: Model
    logger: Logger

    @contextmanager
    def request(self, prompt: str = PROMPT, path: str = PATH, token: str | None = None) -> Iterator[Any]:
        """Request a completion; yields the answer, whose body is not read yet."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = http.client.HTTPSConnection(self.front.address, shifted(443), timeout=60, context=context)
        body = json.dumps(
            {"model": "chat", "messages": [{"role": "user", "content": prompt}], "stream": True}
        )
        headers = {"Host": HOST, "Authorization": f"Bearer {token or TOKENS.token('search-users')}"}
        client.request("POST", path, body, {**headers, "Content-Type": "application/json"})
        try:
            yield client.getresponse()
        finally:
            client.close()

    def stream(self, prompt: str = PROMPT) -> list[float]:
        """Request a completion; returns the seconds that each event took from the server to the client."""
        with self.request(prompt) as answer:
            assert answer.status == 200, answer.read()
            took: list[float] = []
            while line := answer.readline():
                if line.startswith(b"data: {"):
                    took.append(time.monotonic() - json.loads(line[6:])["sent"])
        assert len(took) == self.model.words + 1
        return took

    def stored(self, count: int) -> list[dict[str, Any]]:
        """Return what was measured, once there are as many records."""
        eventually(f"{count} records", lambda: len(self.logger.bucket.values()) >= count, 20)
        values = self.logger.bucket.values()
        assert len(values) == count
        return values


@pytest.fixture(scope="module")
def python() -> str:
    done = PROGRAM.run("python", "-c", "import sys; print(sys.executable)")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, python: str) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("llm")
    model = Model("chat-blue-predictor", "search", 51)
    green = Backend("chat-green-predictor", "search", 52)
    configured = settings(
        authentication={"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": TOKENS.jwks},
        teams={"search": {"claims": ["search-users"]}, "vision": {}},
        routes={},
    )
    front, logger = Front(folder, configured, [model, green]), Logger(python, folder, Bucket())
    route = routes.service_route(
        "chat", "search", "search", blue="chat-blue-predictor", green="chat-green-predictor"
    )
    front.items["httproutes"] = [dict(route)]
    extension = llm_logs.extension("search", "chat", {})
    front.items["envoyextensionpolicies"] = [
        {**extension, "metadata": {**extension["metadata"], "generation": 1}}
    ]
    for plural, item in logger.objects().items():
        front.items[plural].append(item)
    with model.serving():
        front.configure()
        with front.running():
            yield Gateway(front, model, logger)
    logger.kill()


@pytest.fixture
def fresh(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway without records, and without a logger."""
    gateway.logger.kill()
    gateway.logger.bucket.objects.clear()
    gateway.model.words, gateway.model.pause, gateway.model.filler = 10, 0.1, ""
    yield gateway
    gateway.logger.kill()


def test_envoy_gateway_accepts_the_policy(gateway: Gateway) -> None:
    assert gateway.front.translation is not None
    [policy] = gateway.front.translation.status["envoyextensionpolicies"]
    [ancestor] = policy["status"]["ancestors"]
    assert {entry["type"]: entry["status"] for entry in ancestor["conditions"]} == {"Accepted": "True"}


def test_a_stream_is_measured_and_reaches_its_client_as_it_is_sent(fresh: Gateway) -> None:
    fresh.logger.start()
    took = fresh.stream()
    assert max(took) < LATE, took
    [values] = fresh.stored(1)
    latency, first = values.pop("latency_ms"), values.pop("first_byte_ms")
    assert values == {
        "status": "200",
        "prompt_characters": len(PROMPT),
        "answer_characters": 50,
        "prompt_tokens": 9,
        "completion_tokens": 10,
        "finish_reason": "stop",
        "refusal": "no",
    }
    assert 900 < latency < 3000
    assert first < 500
    [key] = fresh.logger.bucket.objects
    assert key.startswith("/logs/logs/search/chat-blue/gateway/requests/"), (
        "the InferenceService that answered"
    )


def test_a_stream_longer_than_the_timeout_of_calls_is_measured_to_its_end(fresh: Gateway) -> None:
    """Envoy Gateway states 10 seconds for calls of external processors, which a stream is not."""
    fresh.logger.start()
    fresh.model.words, fresh.model.pause = 24, 0.5
    assert max(fresh.stream()) < LATE
    [values] = fresh.stored(1)
    assert values["latency_ms"] > 12_000
    assert (values["answer_characters"], values["finish_reason"]) == (24 * 5, "stop")


def test_without_the_logger_a_stream_is_the_same(fresh: Gateway) -> None:
    took = fresh.stream()
    assert max(took) < LATE, took


def test_a_logger_that_is_killed_ends_no_stream(fresh: Gateway) -> None:
    fresh.logger.start()
    threading.Timer(0.5, fresh.logger.kill).start()
    took = fresh.stream()
    assert max(took) < LATE, took
    fresh.logger.start()
    assert max(fresh.stream()) < LATE
    fresh.stored(1)


def test_a_logger_that_hangs_holds_back_no_stream(fresh: Gateway) -> None:
    fresh.logger.start()
    fresh.stream()
    fresh.stored(1)
    fresh.logger.send(signal.SIGSTOP)
    try:
        for _ in range(3):
            took = fresh.stream()
            assert max(took) < LATE, took
    finally:
        fresh.logger.send(signal.SIGCONT)


def test_a_logger_that_hangs_holds_back_large_bodies_for_seconds_at_most(fresh: Gateway) -> None:
    """Copies that it does not take fill its windows and Envoy's buffers; a connection whose PING is not
    answered within 7 seconds is closed."""
    fresh.logger.start()
    fresh.stream()
    fresh.logger.send(signal.SIGSTOP)
    fresh.model.words, fresh.model.pause, fresh.model.filler = 200, 0, "x" * 40_000
    try:
        began = time.monotonic()
        fresh.stream("x" * (4 * MIB))
        assert time.monotonic() - began < 15
    finally:
        fresh.logger.send(signal.SIGCONT)


def test_a_client_that_goes_away_is_an_aborted_answer(fresh: Gateway) -> None:
    fresh.logger.start()
    fresh.model.words = 50
    with fresh.request() as answer:
        answer.readline()
    [values] = fresh.stored(1)
    assert values["finish_reason"] == "aborted"


def test_requests_that_the_gateway_refuses_are_not_stored(fresh: Gateway) -> None:
    fresh.logger.start()
    with fresh.request(token=TOKENS.token("vision")) as answer:
        assert answer.status == 403
    fresh.stream()
    [values] = fresh.stored(1)
    assert values["status"] == "200"


def test_many_streams_at_once_are_all_measured(fresh: Gateway) -> None:
    fresh.logger.start()
    fresh.model.words, fresh.model.pause = 40, 0.05
    results: list[list[float]] = []
    threads = [threading.Thread(target=lambda: results.append(fresh.stream())) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40
    values = fresh.stored(40)
    assert {(value["answer_characters"], value["finish_reason"]) for value in values} == {(200, "stop")}

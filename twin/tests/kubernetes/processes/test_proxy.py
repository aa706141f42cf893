"""The proxy into the cluster, with a client that uses it as Prometheus does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from twin.kubernetes.egress import NoBackendError, Serve, to_loopback
from twin.kubernetes.processes.proxy import Proxy


class Exporter(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = f"{self.command} {self.path} {self.headers['Host']} {self.headers['Authorization']}"
        body = request.encode() + b" " + self.rfile.read(length)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def session() -> Iterator[requests.Session]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def resolve(host: str, port: int) -> Serve:
        if (host, port) != ("100.64.0.7", 9090):
            raise NoBackendError(f"{host}:{port} is no Service, Pod or Node of the twin's cluster")
        return to_loopback(server.server_port)

    proxy = Proxy(resolve)
    proxy.start()
    with requests.Session() as client:
        client.trust_env = False
        client.proxies = {"http": proxy.address, "https": proxy.address}
        yield client
    proxy.stop()
    server.shutdown()
    server.server_close()


def test_a_pod_gets_the_request_as_it_is(session: requests.Session) -> None:
    headers = {"Authorization": "Bearer t"}
    for _ in range(2):
        answer = session.get("http://100.64.0.7:9090/metrics?a=b", headers=headers, timeout=5)
        assert answer.text == "GET /metrics?a=b 100.64.0.7:9090 Bearer t "
    answer = session.post("http://100.64.0.7:9090/api/v2/alerts", data=b"[]", timeout=5)
    assert answer.text == "POST /api/v2/alerts 100.64.0.7:9090 None []"


def test_what_is_not_in_the_cluster_is_refused(session: requests.Session) -> None:
    answer = session.get("http://192.0.2.1/", timeout=5)
    assert answer.status_code == 503
    assert answer.reason == "192.0.2.1:80 is no Service, Pod or Node of the twin's cluster"
    with pytest.raises(requests.exceptions.ProxyError):
        session.get("https://192.0.2.1/", timeout=5)

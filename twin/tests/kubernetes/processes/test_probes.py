"""Probes of containers that run as processes."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twin.kubernetes.processes.probes import succeeds
from twin.toolchain.versions import read_versions


def test_probe_is_recognized_as_the_kubelets_and_has_its_own_headers() -> None:
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        handler = {
            "httpGet": {"port": "http", "httpHeaders": [{"name": "K-Network-Probe", "value": "queue"}]}
        }
        container = {"name": "main", "ports": [{"name": "http", "containerPort": server.server_port}]}
        assert succeeds(handler, container, "127.0.0.1", 5, lambda *_: False)
    finally:
        server.shutdown()
        server.server_close()
    [headers] = received
    minor = read_versions().kubernetes.rpartition(".")[0]
    # KServe's agent answers a probe without storing it by the slash that follows.
    assert headers["User-Agent"] == f"kube-probe/{minor}"
    assert headers["K-Network-Probe"] == "queue"

"""The gateway of the twin of examples/recommender: a server of the test with the certificate of its host.

Envoy and KServe do not run in this tier (tests/controllers/test_model_lifecycle.py has both), so the test
ends TLS, looks at the token, and passes requests of the model's route on to the Pod of the predictor.
"""

from __future__ import annotations

import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import kubernetes

from tests.end_to_end.harness import Twin
from twin.kubernetes.processes import addresses
from twin.tests.waiting import eventually

NAMESPACE: Final = "envoy-gateway-system"
HOST: Final = "models.acme.example"
TOKEN: Final = "Bearer of-a-user"
SERVED_BY: Final = "recommender-blue"
_ROUTE: Final = "/shop/recommender"
_ADDRESS: Final = "100.96.0.81"
"""The address of the gateway among the Pods."""


def certificate(folder: Path) -> Path:
    """Write a certificate of the host and its key, `tls.key`; return the certificate's file."""
    key, file = folder / "tls.key", folder / "ca.crt"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{HOST}"]
    command = ["openssl", *words, "-keyout", str(key), "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return file


class _Handler(BaseHTTPRequestHandler):
    predictor: str

    def do_POST(self) -> None:
        """Pass a request on as the route does: below the prefix, with the name of who answered."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != TOKEN:
            self._send(401, b"")
        elif self.headers["Host"] != HOST or not self.path.startswith(f"{_ROUTE}/"):
            self._send(404, b"")
        else:
            url = self.predictor + self.path.removeprefix(_ROUTE)
            sent = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
            with urllib.request.urlopen(sent, timeout=20) as answer:  # noqa: S310
                self._send(answer.status, answer.read())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-served-by", SERVED_BY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _services(core: Any, name: str) -> list[Any]:
    return core.list_namespaced_service(NAMESPACE, field_selector=f"metadata.name={name}").items


@contextmanager
def gateway(twin: Twin, folder: Path, predictor: str) -> Iterator[None]:
    """Serve the gateway's Service. folder: of the certificate. predictor: the URL of its Pod."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.crt", folder / "tls.key")
    place = addresses.loopback(_ADDRESS)
    assert place is not None
    server = ThreadingHTTPServer((place, 0), type("Handler", (_Handler,), {"predictor": predictor}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    port = server.server_address[1]
    core = twin.core()
    name, ports = "ai-platform", [{"name": "https", "port": 443, "targetPort": port}]
    # The platform's selects the Pods of Envoy, which are simulated.
    core.delete_namespaced_service(name, NAMESPACE)
    eventually("it is gone, with its load balancer", lambda: not _services(core, name))
    core.create_namespaced_service(NAMESPACE, {"metadata": {"name": name}, "spec": {"ports": ports}})
    body = {
        "metadata": {"name": "gateway", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [_ADDRESS], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port}],
    }
    discovery: Any = kubernetes.client.DiscoveryV1Api(twin.kubernetes())
    discovery.create_namespaced_endpoint_slice(NAMESPACE, body)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        discovery.delete_namespaced_endpoint_slice("gateway", NAMESPACE)
        core.delete_namespaced_service(name, NAMESPACE)
        server.shutdown()
        server.server_close()

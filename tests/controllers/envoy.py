"""An Envoy of this machine, configured by the translation of objects, with backends and tokens."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.gateway import objects, routes
from aiplatform.gateway.args import NAME, NAMESPACE, GatewaySettings
from twin.kubernetes import certificates
from twin.kubernetes.envoy_gateway import configuration, translation
from twin.kubernetes.envoy_gateway.proxy import Proxy, shifted
from twin.kubernetes.envoy_gateway.services import Services
from twin.kubernetes.processes import addresses
from twin.private_files import write_private
from twin.tests.waiting import eventually
from twin.toolchain import build

ISSUER: Final = "https://login.acme.example"
AUDIENCE: Final = "models"
HOST: Final = "models.acme.example"
CONTROLLER_NAMESPACE: Final = "envoy-gateway-system"
PORT: Final = 8080


@dataclass(frozen=True)
class Tokens:
    """An issuer of tokens."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def jwks(self) -> str:
        """The public key."""
        numbers = self.key.public_key().public_numbers()
        n, e = (_encoded(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
        return json.dumps({"keys": [{"kty": "RSA", "alg": "RS256", "kid": "1", "n": n, "e": e}]})

    def token(self, *groups: str, issuer: str = ISSUER, audience: str = AUDIENCE, seconds: int = 600) -> str:
        """Return a token of a client in these groups. seconds: until it expires."""
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": audience,
            "sub": "user",
            "groups": list(groups),
            "iat": now,
            "exp": now + seconds,
        }
        head = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encoded(signature)}"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Backend:
    """A Service with one Pod, a server of this machine."""

    name: str
    namespace: str
    number: int
    status: int = 200
    requests: list[str] = field(default_factory=list[str])

    @property
    def pod(self) -> str:
        """The address of its Pod."""
        return f"100.96.77.{self.number}"

    @property
    def cluster_ip(self) -> str:
        """The ClusterIP of the Service."""
        return f"10.96.77.{self.number}"

    def objects(self) -> Mapping[str, dict[str, Any]]:
        """Return collection -> object."""
        metadata = {"name": self.name, "namespace": self.namespace}
        return {
            "services": {
                "metadata": metadata,
                "spec": {
                    "clusterIP": self.cluster_ip,
                    "ports": [{"name": "http", "port": 80, "targetPort": PORT, "protocol": "TCP"}],
                },
            },
            "endpointslices": {
                "metadata": {**metadata, "labels": {"kubernetes.io/service-name": self.name}},
                "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
                "endpoints": [{"addresses": [self.pod], "conditions": {"ready": True}}],
            },
        }

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer requests, with the backend's name and the path."""
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                backend.requests.append(self.path)
                body = f"{backend.name} {self.path}".encode()
                self.send_response(backend.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Requests are not logged."""

        here = addresses.loopback(self.pod) or ""
        server = ThreadingHTTPServer((here, PORT), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


@dataclass(frozen=True)
class Answer:
    """What a client got. served_by: the header with the color of the release."""

    status: int
    body: str
    served_by: str = ""


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass(frozen=True)
class GatewayClient:
    """A client of a gateway. address: of its Envoy."""

    address: str
    # One for all requests: it has the authorities of the machine, a megabyte.
    context: ssl.SSLContext = field(default_factory=_any_certificate)

    def ask(self, path: str, token: str = "", host: str = HOST, body: Any = None) -> Answer:
        """Request a path by HTTPS, without verification of the certificate's name. body: as JSON, by POST;
        None: by GET."""
        headers = {"Host": host, **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        url = f"https://{self.address}:{shifted(443)}{path}"
        request = urllib.request.Request(url, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.context) as answer:  # noqa: S310
                return Answer(answer.status, answer.read().decode(), answer.headers.get("x-served-by") or "")
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), error.headers.get("x-served-by") or "")


class Front:
    """The objects of a gateway, and the Envoy that is configured by them."""

    def __init__(self, folder: Path, settings: GatewaySettings, backends: Sequence[Backend]) -> None:
        self.folder = folder
        self.settings = settings
        self.backends = list(backends)
        self.items = _objects(settings, folder, backends)
        [self.gateway] = self.items["gateways"]
        self.proxy = Proxy(self.gateway, CONTROLLER_NAMESPACE, self.items["envoyproxies"][0]["spec"])
        # Of the folder and not of the Gateway's name, which the tests share: Envoys may share a port.
        here = addresses.loopback(addresses.of_host(str(folder), self.proxy.name, CONTROLLER_NAMESPACE))
        self.address = here or "127.0.0.1"
        self.place = configuration.Place(folder / "envoy", self.address)
        self.client = GatewayClient(self.address)
        self.translation: translation.Translation | None = None

    def configure(self) -> None:
        """Translate the objects, and write the files."""
        binary = build.ensure(["envoy-gateway"])["envoy-gateway"]
        text = translation.request(self.gateway, self.items)
        self.translation = translation.translate(str(binary), text, CONTROLLER_NAMESPACE)
        services = Services(self.items["services"], self.items["endpointslices"])
        files = configuration.files(
            self.translation, self.place, services.endpoints, self.items["secrets"], self.proxy.name
        )
        for file, content in files.items():
            if not file.exists() or file.read_text() != content:
                write_private(file, content)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run Envoy with the files."""
        binary = build.ensure(["envoy"])["envoy"]
        command = [binary, "-c", str(self.place.file("bootstrap")), "--log-level", "warn"]
        with (self.folder / "envoy.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--concurrency", "1", "--disable-hot-restart"], stdout=log, stderr=log
            )
        try:
            eventually("Envoy is ready", lambda: self.ready(process), 60)
            yield
        finally:
            process.kill()
            process.wait()

    def ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the port for requests is open."""
        assert process.poll() is None, (self.folder / "envoy.log").read_text()
        try:
            return self.get("/nothing").status in (401, 403, 404)
        except (OSError, urllib.error.URLError):
            return False

    def get(self, path: str, token: str = "", host: str = HOST) -> Answer:
        """Request a path by HTTPS, without verification of the certificate's name."""
        return self.client.ask(path, token, host)

    def metrics(self) -> str:
        """Return Envoy's metrics as Prometheus reads them."""
        url = f"http://{self.address}:19001/stats/prometheus"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()


@contextmanager
def front(folder: Path, settings: GatewaySettings, backends: Sequence[Backend]) -> Iterator[Front]:
    """Run backends and a gateway in front of them."""
    started = Front(folder, settings, backends)
    with ExitStack() as stack:
        for backend in backends:
            stack.enter_context(backend.serving())
        started.configure()
        stack.enter_context(started.running())
        yield started


def _objects(
    settings: GatewaySettings, folder: Path, backends: Sequence[Backend]
) -> dict[str, list[dict[str, Any]]]:
    """Return the objects of the component, by collection, as the API server would have them."""
    assert settings.authentication is not None

    def item(name: str, spec: Any, namespace: str = NAMESPACE) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": namespace, "generation": 1}, "spec": dict(spec)}

    of_backends = [backend.objects() for backend in backends]
    return {
        "gatewayclasses": [item(NAME, objects.gateway_class(), "")],
        "gateways": [item(NAME, objects.gateway(settings))],
        "envoyproxies": [item(NAME, objects.envoy_proxy(settings, {}))],
        "clienttrafficpolicies": [item(NAME, objects.client_traffic(settings))],
        "backendtrafficpolicies": [item(NAME, objects.backend_traffic(settings))],
        "securitypolicies": [item(NAME, objects.security(settings, settings.authentication))],
        "envoyextensionpolicies": [],
        "referencegrants": [],
        "namespaces": [
            {"metadata": {"name": settings.namespace(team), "labels": {TEAM_LABEL: team}}}
            for team in settings.teams
        ]
        + [{"metadata": {"name": NAMESPACE}}],
        "httproutes": [dict(routes.of_settings(settings, name)) for name in settings.routes],
        "services": [entry["services"] for entry in of_backends],
        "endpointslices": [entry["endpointslices"] for entry in of_backends],
        "secrets": [_secret(folder, settings)],
    }


def _secret(folder: Path, settings: GatewaySettings) -> dict[str, Any]:
    pki = certificates.ensure(folder / "pki")
    files = folder / "tls.crt", folder / "tls.key"
    certificates.issue(pki, list(settings.hosts), *files)
    return {
        "type": "kubernetes.io/tls",
        "metadata": {"name": objects.SECRET, "namespace": NAMESPACE},
        "data": {file.name: base64.b64encode(file.read_bytes()).decode() for file in files},
    }

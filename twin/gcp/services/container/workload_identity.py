"""GKE's metadata server for Pods: Workload Identity Federation for GKE, on a port of loopback.

GKE's documentation, "About Workload Identity Federation for GKE", and Compute Engine's, "Predefined metadata
keys". On a node it knows a Pod by its address. Here a secret in the path of the address that a Pod has in
GCE_METADATA_HOST is for the Pod: another user of the machine gets nothing from the port.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from twin.instances import Instance
from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.cloud_client import CloudView

log = logging.getLogger(__name__)

ANNOTATION: Final = "iam.gke.io/gcp-service-account"
_SCOPES: Final = "https://www.googleapis.com/auth/cloud-platform"
_LIFE: Final = 3599
_SECRET_BYTES: Final = 24
_ROOT: Final = "computeMetadata/v1"


def connect(instance: Instance, view: CloudView) -> MetadataServer:
    """Return the twin's metadata server, which listens from now on."""
    return MetadataServer(instance, view)


class MetadataServer:
    """The metadata server."""

    def __init__(self, instance: Instance, view: CloudView) -> None:
        self._instance = instance
        self._view = view
        self._kube = Kube(instance.kubeconfig)
        self._accounts: dict[str, tuple[str, str]] = {}
        handler = type("Handler", (_Handler,), {"metadata": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="metadata", daemon=True).start()

    @property
    def ports(self) -> tuple[int, ...]:
        """The cloud's port and the metadata server's."""
        return (self._instance.ports["cloud"], self._server.server_address[1])

    def extended(self, pod: Object) -> Object:
        """The Pod: GKE adds nothing."""
        return pod

    def variables(self, pod: Object) -> dict[str, str]:
        """Variables of Google's libraries: the address of the metadata server."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        account = pod["spec"].get("serviceAccountName") or "default"
        self._accounts[secret] = (pod["metadata"]["namespace"], account)
        place = f"127.0.0.1:{self.ports[1]}/{secret}"
        return {"GCE_METADATA_HOST": place, "GCE_METADATA_IP": place, "GCE_METADATA_ROOT": place}

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, place: str) -> Any:
        """Return a text, an object, or None for an unknown key. place: path and query of a request."""
        url = urlsplit(place)
        secret, _, key = url.path.strip("/").partition("/")
        if secret not in self._accounts:
            return None
        if key in ("", _ROOT):
            return ""
        key = key.removeprefix(_ROOT).strip("/")
        return self._value(*self._accounts[secret], key, url.query)

    def _value(self, namespace: str, account: str, key: str, query: str) -> Any:
        project = self._instance.account
        if key == "project/project-id":
            return project
        if key == "universe/universe-domain":
            return "googleapis.com"
        parts = key.split("/")
        if parts[:2] != ["instance", "service-accounts"]:
            return None
        body = self._kube.find(path("v1", "serviceaccounts", namespace, account)) or {"metadata": {}}
        named = (body["metadata"].get("annotations") or {}).get(ANNOTATION, "")
        email = named or f"{project}.svc.id.goog"
        if len(parts) < 3 or parts[2] not in ("default", email):
            return None
        match parts[3:]:
            case []:
                recursive = parse_qs(query).get("recursive") == ["true"]
                return (
                    {"aliases": ["default"], "email": email, "scopes": [_SCOPES]} if recursive else "token\n"
                )
            case ["email"]:
                return email
            case ["scopes"]:
                return _SCOPES
            case ["token"]:
                names = {"namespace": namespace, "service_account": account, "account": named}
                token = self._view.ask("workload_token", **names)["token"]
                return token and {"access_token": token, "expires_in": _LIFE, "token_type": "Bearer"}
            case _:
                return None


class _Handler(BaseHTTPRequestHandler):
    metadata: MetadataServer

    def do_GET(self) -> None:
        status, kind, body = 404, "text/plain", "not found"
        try:
            answer = self.metadata.answer(self.path)
            if answer is not None:
                text = isinstance(answer, str)
                kind = "application/text" if text else "application/json"
                status, body = 200, answer if text else json.dumps(answer)
        except Exception as error:  # noqa: BLE001 - whatever the cloud answers, the library must get a status
            log.info("metadata server: %s", error)
            status, body = 500, "the cloud does not answer"
        self.send_response(status)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Secrets are in the paths: nothing of a request is logged."""

"""Answers in the place of controllers that do not run here.

A webhook with `failurePolicy: Fail` whose program is only simulated would refuse all that it guards. Its
configuration stays in the cluster as the program installed it; the relay connects the API server to this
server, which admits every object unchanged, and serves an aggregated API without resources. Its certificate
is that in a Secret of the Service's namespace, where one is valid for the Service: a controller that ran here
before has written it, or the chart has. Otherwise the twin's authority issues one, which the API server
trusts for configurations without a `caBundle`: those that a controller would fill in.
"""

from __future__ import annotations

import base64
import json
import logging
import socket
import ssl
import threading
from http.server import ThreadingHTTPServer
from typing import Any, Final

from cryptography import x509

from twin.instances import Instance
from twin.kubernetes import certificates
from twin.kubernetes.api import Kube, path
from twin.kubernetes.certificates import Pki
from twin.kubernetes.egress import Serve
from twin.kubernetes.relayed import Requests
from twin.private_files import write_private

log = logging.getLogger(__name__)

LONGEST: Final = 16 << 20
"""Bytes of a review that are read: an object of etcd's largest size, old and new, with room to spare."""
NO_CONVERSION: Final = "the controller that converts these objects does not run on the twin"

Pair = tuple[bytes, bytes]
"""A certificate and its key, PEM."""


def answer(review: Any) -> dict[str, Any]:
    """Return the answer to an AdmissionReview or a ConversionReview. Raises ValueError for another object."""
    known = isinstance(review, dict) and review.get("kind") in ("AdmissionReview", "ConversionReview")
    if not known or not isinstance(review.get("request"), dict):
        raise ValueError("expected an AdmissionReview or a ConversionReview with a request")
    kind, request = review["kind"], review["request"]
    response: dict[str, Any] = {"uid": request.get("uid")}
    if kind == "AdmissionReview":
        response["allowed"] = True
    else:
        failed = {"status": "Failure", "message": NO_CONVERSION}
        # An empty list has nothing to convert.
        response |= {
            "convertedObjects": [],
            "result": failed if request.get("objects") else {"status": "Success"},
        }
    return {"apiVersion": review.get("apiVersion"), "kind": kind, "response": response}


class Absent:
    """Serves connections of the relay."""

    def __init__(self, instance: Instance, kube: Kube) -> None:
        self._kube = kube
        self._pki = Pki(instance.folder / "kubernetes" / "pki")
        self._folder = instance.folder / "kubernetes" / "absent"
        self._lock = threading.Lock()
        self._contexts: dict[str, tuple[Pair | None, ssl.SSLContext]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Reviews, bind_and_activate=False)

    def serve(self, namespace: str, name: str) -> Serve:
        """Return what serves connections to a Service. Raises ApiError and Unreachable."""
        context = self._context(namespace, name)

        def connection(client: socket.socket) -> None:
            client.settimeout(_Reviews.timeout)
            try:
                with context.wrap_socket(client, server_side=True) as secured:
                    _Reviews(secured, ("relay", 0), self._server)
            except ssl.SSLError as error:
                # Such as a caBundle by which this certificate is not valid: the API server reports it.
                log.info("Service %s/%s: a connection broke: %s", namespace, name, error)

        return connection

    def _context(self, namespace: str, name: str) -> ssl.SSLContext:
        host = f"{name}.{namespace}.svc"
        pair = self._pair(namespace, host)
        with self._lock:
            known = self._contexts.get(host)
            if known is None or known[0] != pair:
                known = self._contexts[host] = (pair, self._load(host, pair))
            return known[1]

    def _load(self, host: str, pair: Pair | None) -> ssl.SSLContext:
        certificate, key = (self._folder / f"{host}.{end}" for end in ("crt", "key"))
        if pair is not None:
            write_private(certificate, pair[0].decode())
            write_private(key, pair[1].decode())
        else:
            certificates.issue(self._pki, [host], certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def _pair(self, namespace: str, host: str) -> Pair | None:
        """The certificate and key of a host in a Secret of a namespace."""
        for secret in self._kube.get(path("v1", "secrets", namespace))["items"]:
            data = secret.get("data") or {}
            pem, key = (base64.b64decode(data.get(name) or "") for name in ("tls.crt", "tls.key"))
            if pem and key and host in _names(pem):
                return pem, key
        return None


class _Reviews(Requests):
    longest = LONGEST

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if len(parts) == 3 and parts[0] == "apis":
            listing = {"kind": "APIResourceList", "apiVersion": "v1", "resources": []}
            self.say(
                200, json.dumps({**listing, "groupVersion": "/".join(parts[1:])}).encode(), "application/json"
            )
        else:
            self.say(404, b"not found", "text/plain")

    def do_POST(self) -> None:
        try:
            body = json.dumps(answer(json.loads(self.body()))).encode()
        except ValueError as error:
            self.say(400, str(error).encode(), "text/plain")
        else:
            self.say(200, body, "application/json")


def _names(pem: bytes) -> list[str]:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, x509.ExtensionNotFound):
        return []
    return names.value.get_values_for_type(x509.DNSName)

"""Spec of encryption.encrypt_gateways."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource
from tests.policies.workloads import metadata

_TLS: dict[str, Any] = {"certificateRefs": [{"name": "certificate"}]}


def _gateway(*listeners: Any, **more: Any) -> Resource:
    props = {"metadata": metadata(**more), "spec": {"listeners": list(listeners)}}
    return resource("kubernetes:gateway.networking.k8s.io/v1:Gateway", props)


def _ingress(annotations: Any = None, **spec: Any) -> Resource:
    props = {
        "metadata": metadata(annotations={} if annotations is None else annotations),
        "spec": {"rules": [{"host": "a.b"}], **spec},
    }
    return resource("kubernetes:networking.k8s.io/v1:Ingress", props)


def _listener(protocol: Any = "HTTPS", tls: Any = None) -> dict[str, Any]:
    return {"name": "one", "port": 443, "protocol": protocol, **({"tls": tls} if tls is not None else {})}


SPEC = Spec(
    passes={
        "a certificate": _gateway(_listener(tls=_TLS)),
        "TLS that the backend ends": _gateway(_listener("TLS", {"mode": "Passthrough"})),
        "a certificate map of Google Cloud": _gateway(
            _listener(), annotations={"networking.gke.io/certmap": "certificates"}
        ),
        "a certificate of Google Cloud": _gateway(
            _listener(tls={"options": {"networking.gke.io/pre-shared-certs": "certificate"}})
        ),
        "an Ingress with a certificate": _ingress(tls=[{"hosts": ["a.b"], "secretName": "a-b"}]),
        "an Ingress with a certificate of AWS": _ingress(
            {"alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:eu-central-1:1:certificate/1"}
        ),
        "an Ingress whose certificate the controller finds": _ingress(
            {"alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS": 443}]'}
        ),
        "an Ingress with a certificate of Google": _ingress({"networking.gke.io/managed-certificates": "a"}),
    },
    fails={
        "an Ingress as it comes": Fails(_ingress(), "spec.tls", "not encrypted"),
        "an Ingress with another port for HTTP": Fails(
            _ingress({"alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 8080}]'}), "spec.tls"
        ),
        "an Ingress with an empty list": Fails(_ingress(tls=[]), "spec.tls"),
        "an Ingress that also serves HTTP": Fails(
            _ingress({"nginx.ingress.kubernetes.io/ssl-redirect": "false"}, tls=[{"secretName": "a-b"}]),
            "metadata.annotations[nginx.ingress.kubernetes.io/ssl-redirect]",
            "plain HTTP is served",
        ),
        "plain HTTP": Fails(_gateway(_listener("HTTP")), "spec.listeners[0].protocol", "without encryption"),
        "plain HTTP next to HTTPS": Fails(
            _gateway(_listener(tls=_TLS), _listener("HTTP")), "spec.listeners[1].protocol", "'HTTP'"
        ),
        "no certificate": Fails(
            _gateway(_listener(tls={"mode": "Terminate"})), "spec.listeners[0].tls", "no certificate"
        ),
    },
    unknown={
        "the listeners": resource(
            "kubernetes:gateway.networking.k8s.io/v1:Gateway",
            {"metadata": metadata(), "spec": {"listeners": UNKNOWN}},
        ),
        "the certificate of an Ingress": _ingress(tls=UNKNOWN),
        "the annotations of an Ingress": _ingress(UNKNOWN),
        "the protocol": _gateway(_listener(UNKNOWN)),
        "the certificate": _gateway(_listener(tls={"certificateRefs": UNKNOWN})),
    },
)

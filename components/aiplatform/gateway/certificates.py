"""The certificates of the connections between Envoy Gateway and Envoy. The chart has a hook that creates them
once; cert-manager also renews them (Envoy Gateway, "Control Plane Authentication Using Custom
Certificates")."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

_GROUP: Final = "cert-manager.io"
_VERSION: Final = f"{_GROUP}/v1"
_SELF_SIGNED: Final = "envoy-gateway-self-signed"
_AUTHORITY: Final = "envoy-gateway-authority"
_TEN_YEARS: Final = "87600h"
CONTROLLER: Final = "envoy-gateway"
"""The Secret with the certificate of Envoy Gateway, and its Service."""
ENVOY: Final = "envoy"
"""The Secret with the certificate of Envoy, by which Envoy Gateway knows it."""


def create(
    parent: pulumi.ComponentResource, name: str, namespace: str, after: ResourceOptions
) -> list[pulumi.Resource]:
    """Create the certificates, with an authority that signs nothing else. namespace: of Envoy Gateway. after:
    options with what they depend on."""

    def custom(logical: str, kind: str, object_name: str, spec: Mapping[str, Any], *before: pulumi.Resource):
        return CustomResource(
            f"{name}-{logical}",
            api_version=_VERSION,
            kind=kind,
            metadata=meta.ObjectMetaArgs(name=object_name, namespace=namespace),
            spec=dict(spec),
            opts=ResourceOptions.merge(after, ResourceOptions(parent=parent, depends_on=list(before))),
        )

    root = custom("self-signed", "Issuer", _SELF_SIGNED, {"selfSigned": {}})
    authority = custom(
        "authority",
        "Certificate",
        _AUTHORITY,
        {
            "isCA": True,
            "commonName": _AUTHORITY,
            "secretName": _AUTHORITY,
            "duration": _TEN_YEARS,
            # With another key, Envoy would not trust the controller until its next start.
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
            "issuerRef": _issuer(_SELF_SIGNED),
        },
        root,
    )
    issuer = custom("issuer", "Issuer", _AUTHORITY, {"ca": {"secretName": _AUTHORITY}}, authority)
    service = [CONTROLLER, *(f"{CONTROLLER}.{namespace}{end}" for end in ("", ".svc", ".svc.cluster.local"))]
    return [
        custom("controller-certificate", "Certificate", CONTROLLER, _leaf(CONTROLLER, service), issuer),
        custom("envoy-certificate", "Certificate", ENVOY, _leaf(ENVOY, [f"*.{namespace}"]), issuer),
    ]


def _leaf(secret: str, names: Sequence[str]) -> Mapping[str, Any]:
    return {
        "secretName": secret,
        "commonName": secret,
        "dnsNames": list(names),
        "subject": {"organizations": ["envoy-gateway"]},
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["digital signature", "key encipherment", "server auth", "client auth"],
        "issuerRef": _issuer(_AUTHORITY),
    }


def _issuer(name: str) -> Mapping[str, str]:
    return {"group": _GROUP, "kind": "Issuer", "name": name}

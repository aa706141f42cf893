"""The authority for internal names: certificates of Services in the cluster, by cert-manager."""

from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.names import INTERNAL_ISSUER
from aiplatform.addons.install import Installed

_SELF_SIGNED: Final = "ai-platform-self-signed"
_AUTHORITY: Final = "ai-platform-authority"
_GROUP: Final = "cert-manager.io"
_VERSION: Final = f"{_GROUP}/v1"
_TEN_YEARS: Final = "87600h"


def create(parent: pulumi.ComponentResource, name: str, cert_manager: Installed) -> None:
    """Create an authority that signs itself, and the issuer of certificates by it. They are created after
    cert-manager is ready and deleted while it runs. Only cert-manager reads the authority's key."""
    root = CustomResource(
        f"{name}-self-signed",
        api_version=_VERSION,
        kind="ClusterIssuer",
        metadata=meta.ObjectMetaArgs(name=_SELF_SIGNED),
        spec={"selfSigned": {}},
        opts=ResourceOptions(parent=parent, depends_on=cert_manager.resources),
    )
    authority = CustomResource(
        f"{name}-authority",
        api_version=_VERSION,
        kind="Certificate",
        # Secrets that a ClusterIssuer names are in the namespace of cert-manager.
        metadata=meta.ObjectMetaArgs(name=_AUTHORITY, namespace=cert_manager.addon.namespace),
        spec={
            "isCA": True,
            "commonName": _AUTHORITY,
            "secretName": _AUTHORITY,
            "duration": _TEN_YEARS,
            # With another key, clients that have the former certificate would trust none of the new ones.
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
            "issuerRef": {"group": _GROUP, "kind": "ClusterIssuer", "name": _SELF_SIGNED},
        },
        # All of cert-manager comes before its issuer.
        opts=ResourceOptions(parent=parent, depends_on=[root]),
    )
    CustomResource(
        f"{name}-internal",
        api_version=_VERSION,
        kind="ClusterIssuer",
        metadata=meta.ObjectMetaArgs(name=INTERNAL_ISSUER),
        spec={"ca": {"secretName": _AUTHORITY}},
        opts=ResourceOptions(parent=parent, depends_on=[authority]),
    )

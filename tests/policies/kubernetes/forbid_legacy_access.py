"""Spec of kubernetes.forbid_legacy_access."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

CERTIFICATE = "masterAuth.clientCertificateConfig.issueClientCertificate"
MODE = "accessConfig.authenticationMode"


def _gke(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", props)


def _certificate(issued: Any) -> Resource:
    return _gke(masterAuth={"clientCertificateConfig": {"issueClientCertificate": issued}})


def _eks(mode: Any = None) -> Resource:
    return resource("aws:eks/cluster:Cluster", {"accessConfig": {"authenticationMode": mode}})


SPEC = Spec(
    passes={
        "GKE with defaults": _gke(),
        "GKE, set explicitly": _certificate(False),
        "EKS by its API": _eks("API"),
        "EKS on its way there": _eks("API_AND_CONFIG_MAP"),
    },
    fails={
        "ABAC": Fails(_gke(enableLegacyAbac=True), "enableLegacyAbac", "whatever RBAC allows"),
        "a certificate": Fails(_certificate(True), CERTIFICATE, "cannot be revoked"),
        "EKS with defaults": Fails(_eks(), MODE, "'CONFIG_MAP'"),
        "EKS by its ConfigMap": Fails(_eks("CONFIG_MAP"), MODE, "aws-auth"),
    },
    unknown={
        "ABAC": _gke(enableLegacyAbac=UNKNOWN),
        "a certificate": _certificate(UNKNOWN),
        "EKS": _eks(UNKNOWN),
    },
)

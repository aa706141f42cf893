"""Spec of kubernetes.log_control_plane."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource

COMPONENTS = "loggingConfig.enableComponents"


def _eks(types: Any) -> Resource:
    return resource("aws:eks/cluster:Cluster", {"enabledClusterLogTypes": types})


def _gke(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", props)


SPEC = Spec(
    passes={
        "those that matter": _eks(["audit", "api", "authenticator"]),
        "GKE with defaults": _gke(),
        "GKE with more": _gke(loggingConfig={"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]}),
        "GKE with its service": _gke(loggingService="logging.googleapis.com/kubernetes"),
    },
    fails={
        "nothing on EKS": Fails(_eks(None), "enabledClusterLogTypes", "keeps nothing, without api, audit"),
        "no audit log on EKS": Fails(
            _eks(["api", "authenticator", "scheduler"]), "enabledClusterLogTypes", "without audit"
        ),
        "nothing on GKE": Fails(_gke(loggingService="none"), "loggingService", "'none'"),
        "no components of GKE": Fails(
            _gke(loggingConfig={"enableComponents": []}), COMPONENTS, "without SYSTEM_COMPONENTS"
        ),
    },
    unknown={
        "on EKS": _eks(UNKNOWN),
        "one of EKS": _eks(["api", UNKNOWN]),
        "on GKE": _gke(loggingService=UNKNOWN),
        "the components of GKE": _gke(loggingConfig={"enableComponents": UNKNOWN}),
    },
    configured={
        "the scheduler's, too": Case(
            _eks(["api", "audit", "authenticator"]), {"types": ["audit", "scheduler"]}, fails=True
        ),
    },
)

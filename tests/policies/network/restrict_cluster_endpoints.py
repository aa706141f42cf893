"""Spec of network.close_endpoints."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _eks(**config: Any) -> Any:
    return resource("aws:eks/cluster:Cluster", {"vpcConfig": {"subnetIds": ["a", "b"], **config}})


def _gke(**config: Any) -> Any:
    return resource("gcp:container/cluster:Cluster", config)


def _networks(block: Any) -> dict[str, Any]:
    return {"masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": block}]}}


SPEC = Spec(
    passes={
        "a private endpoint on EKS": _eks(endpointPublicAccess=False, endpointPrivateAccess=True),
        "a public one for one network": _eks(endpointPublicAccess=True, publicAccessCidrs=["192.0.2.0/24"]),
        "a private endpoint on GKE": _gke(privateClusterConfig={"enablePrivateEndpoint": True}),
        "one for authorized networks": _gke(**_networks("192.0.2.0/24")),
        "one that DNS alone reaches": _gke(
            controlPlaneEndpointsConfig={"ipEndpointsConfig": {"enabled": False}}
        ),
    },
    fails={
        "EKS with defaults": Fails(_eks(), "vpcConfig.publicAccessCidrs", "'0.0.0.0/0'"),
        "EKS for everyone": Fails(
            _eks(endpointPublicAccess=True, publicAccessCidrs=["192.0.2.0/24", "0.0.0.0/0"]),
            "vpcConfig.publicAccessCidrs[1]",
        ),
        "GKE with defaults": Fails(_gke(), "masterAuthorizedNetworksConfig", "is not set"),
        "GKE for everyone": Fails(
            _gke(**_networks("0.0.0.0/0")), "masterAuthorizedNetworksConfig.cidrBlocks[0].cidrBlock"
        ),
    },
    unknown={
        "networks on EKS that is unknown": _eks(publicAccessCidrs=UNKNOWN),
        "networks on GKE that is unknown": _gke(**_networks(UNKNOWN)),
    },
)

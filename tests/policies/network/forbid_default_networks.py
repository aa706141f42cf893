"""Spec of network.choose_subnets."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _network(**more: Any) -> Any:
    return resource("gcp:compute/network:Network", {"name": "acme", **more})


def _machine(network: str) -> Any:
    return resource("gcp:compute/instance:Instance", {"networkInterfaces": [{"network": network}]})


def _gke(**more: Any) -> Any:
    return resource("gcp:container/cluster:Cluster", {"name": "acme", **more})


SPEC = Spec(
    passes={
        "a network with subnets declared explicitly": _network(autoCreateSubnetworks=False),
        "a machine in one": _machine("acme"),
        "a cluster in one": _gke(network="acme", subnetwork="nodes"),
        "a cluster that names its subnetwork": _gke(subnetwork="projects/a/regions/b/subnetworks/nodes"),
    },
    fails={
        "a network with defaults": Fails(_network(), "autoCreateSubnetworks", "is not set"),
        "an automatic one": Fails(_network(autoCreateSubnetworks=True), "autoCreateSubnetworks", "is true"),
        "a machine in the default network": Fails(_machine("default"), "networkInterfaces[0].network"),
        "a cluster with defaults": Fails(_gke(), "network", "is not set"),
        "a cluster in it": Fails(_gke(network="projects/acme/global/networks/default"), "network"),
        "AWS's own": Fails(resource("aws:ec2/defaultVpc:DefaultVpc", {}), "", "are public"),
    },
    unknown={
        "a mode that is unknown": _network(autoCreateSubnetworks=UNKNOWN),
        "a network that does not exist yet": _gke(network=UNKNOWN),
    },
)

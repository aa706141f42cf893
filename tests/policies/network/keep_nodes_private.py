"""Spec of network.keep_nodes_private."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import node_class
from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _subnet(public: Any) -> Any:
    return resource("aws:ec2/subnet:Subnet", {"cidrBlock": "10.0.0.0/24", "mapPublicIpOnLaunch": public})


def _template(public: Any) -> Any:
    interface = {"deviceIndex": 0, "associatePublicIpAddress": public}
    return resource("aws:ec2/launchTemplate:LaunchTemplate", {"networkInterfaces": [interface]})


def _machine(**interface: Any) -> Any:
    return resource("gcp:compute/instance:Instance", {"networkInterfaces": [{"network": "a", **interface}]})


def _gke(**config: Any) -> Any:
    return resource("gcp:container/cluster:Cluster", config)


def _pool(**config: Any) -> Any:
    return resource("gcp:container/nodePool:NodePool", {"cluster": "acme", "networkConfig": config})


_PATH = "privateClusterConfig.enablePrivateNodes"

SPEC = Spec(
    passes={
        "a private subnet": _subnet(False),
        "a machine with defaults": resource("aws:ec2/instance:Instance", {"instanceType": "m7g.large"}),
        "a template that disables it": _template("false"),
        "a machine without an access configuration": _machine(),
        "a private cluster": _gke(privateClusterConfig={"enablePrivateNodes": True}),
        "a pool with defaults": _pool(),
        "nodes of Karpenter": node_class(),
    },
    fails={
        "a public subnet": Fails(_subnet(True), "mapPublicIpOnLaunch"),
        "a machine with an address": Fails(
            resource("aws:ec2/instance:Instance", {"associatePublicIpAddress": True}),
            "associatePublicIpAddress",
        ),
        "a template with addresses": Fails(
            _template("true"), "networkInterfaces[0].associatePublicIpAddress"
        ),
        "an empty access configuration": Fails(
            _machine(accessConfigs=[{}]), "networkInterfaces[0].accessConfigs"
        ),
        "GKE with defaults": Fails(_gke(), _PATH, "is not set"),
        "a public cluster": Fails(_gke(privateClusterConfig={"enablePrivateNodes": False}), _PATH, "false"),
        "a public pool": Fails(_pool(enablePrivateNodes=False), "networkConfig.enablePrivateNodes"),
        "nodes of Karpenter": Fails(
            node_class(associatePublicIPAddress=True), "spec.associatePublicIPAddress", "every node"
        ),
    },
    unknown={
        "nodes of Karpenter": node_class(associatePublicIPAddress=UNKNOWN),
        "a subnet with an unknown value": _subnet(UNKNOWN),
        "interfaces that is unknown": _machine(accessConfigs=UNKNOWN),
        "a cluster with an unknown value": _gke(privateClusterConfig=UNKNOWN),
    },
)

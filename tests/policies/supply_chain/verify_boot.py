"""Spec of supply_chain.verify_boot."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.spec import UNKNOWN, Fails, Spec, resource

SHIELDED = {"enableSecureBoot": True, "enableIntegrityMonitoring": True}


def _cluster(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", {"removeDefaultNodePool": True, **props})


def _pool(config: Any) -> Resource:
    return resource(
        "gcp:container/nodePool:NodePool",
        {"cluster": "acme", "nodeConfig": {"machineType": "g2-standard-8", "shieldedInstanceConfig": config}},
    )


def _machine(**config: Any) -> Resource:
    return resource(
        "gcp:compute/instance:Instance", {"machineType": "e2-small", "shieldedInstanceConfig": config}
    )


def _workbench(**config: Any) -> Resource:
    setup = {"shieldedInstanceConfig": {**SHIELDED, "enableVtpm": True, **config}}
    return resource("gcp:workbench/instance:Instance", {"location": "us-central1-a", "gceSetup": setup})


SPEC = Spec(
    passes={
        "a cluster with the default": _cluster(),
        "a cluster whose pools are resources": _cluster(enableShieldedNodes=True),
        "a pool": _pool(SHIELDED),
        "a pool with the default of monitoring": _pool({"enableSecureBoot": True}),
        "a machine": _machine(enableSecureBoot=True),
        "a workbench": _workbench(),
        "a machine with the defaults of its image": resource(
            "gcp:compute/instance:Instance", {"machineType": "e2-small"}
        ),
    },
    fails={
        "a cluster without shielded nodes": Fails(
            _cluster(enableShieldedNodes=False), "enableShieldedNodes", "without proof"
        ),
        "a pool with defaults": Fails(
            _pool({}), "nodeConfig.shieldedInstanceConfig.enableSecureBoot", "is not set"
        ),
        "a pool without monitoring": Fails(
            _pool({"enableSecureBoot": True, "enableIntegrityMonitoring": False}),
            "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring",
            "is false",
        ),
        "nodes that a cluster creates": Fails(
            _cluster(
                clusterAutoscaling={
                    "enabled": True,
                    "autoProvisioningDefaults": {"shieldedInstanceConfig": {"enableSecureBoot": False}},
                }
            ),
            "clusterAutoscaling.autoProvisioningDefaults.shieldedInstanceConfig.enableSecureBoot",
        ),
        "a pool that a cluster declares": Fails(
            _cluster(nodePools=[{"nodeConfig": {"shieldedInstanceConfig": {"enableSecureBoot": False}}}]),
            "nodePools[0].nodeConfig.shieldedInstanceConfig.enableSecureBoot",
        ),
        "a machine without a virtual TPM": Fails(
            _machine(enableSecureBoot=True, enableVtpm=False), "shieldedInstanceConfig.enableVtpm"
        ),
        "a template": Fails(
            resource(
                "gcp:compute/instanceTemplate:InstanceTemplate",
                {"machineType": "e2-small", "shieldedInstanceConfig": {"enableSecureBoot": False}},
            ),
            "shieldedInstanceConfig.enableSecureBoot",
        ),
        "a workbench without secure boot": Fails(
            _workbench(enableSecureBoot=False), "gceSetup.shieldedInstanceConfig.enableSecureBoot"
        ),
    },
    unknown={
        "a cluster": _cluster(enableShieldedNodes=UNKNOWN),
        "a pool": _pool({"enableSecureBoot": UNKNOWN}),
        "a pool's configuration": _pool(UNKNOWN),
    },
)

"""Machines verify what they boot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="Machines verify their boot",
    severity="medium",
    description="A shielded machine of Google Cloud boots only signed software (secure boot), measures it "
    "(virtual TPM) and reports a change (integrity monitoring). Without it malware in the boot chain "
    "stays, and a stolen credential of a node can be used elsewhere. Secure boot is off by default, the "
    "other two are on.",
    remediation="Set `shieldedInstanceConfig` with enableSecureBoot, enableIntegrityMonitoring and (on "
    "machines) enableVtpm true, and leave `enableShieldedNodes` of a GKE cluster at its default.",
    frameworks=("CIS GCP 4.8", "CIS GKE 5.5.5", "CIS GKE 5.5.6", "CIS GKE 5.5.7", "NIST 800-53 SI-7"),
)

_CONFIG: Final = "shieldedInstanceConfig"
_EFFECTS: Final = {
    "enableSecureBoot": "software without a signature can boot",
    "enableIntegrityMonitoring": "a changed boot is not reported",
    "enableVtpm": "the boot is not measured",
}


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """Clusters without shielded nodes, and nodes that they declare."""
    if resource.known("enableShieldedNodes") is False:
        yield Violation("enableShieldedNodes", "is false: a node joins without proof of its identity")
    created = "clusterAutoscaling.autoProvisioningDefaults"
    paths = [pool.where("nodeConfig") for pool in resource.entries("nodePools")]
    if resource.raw(created) is not None:
        paths.append(created)
    if resource.raw("nodeConfig") is not None and resource.known("removeDefaultNodePool") is not True:
        paths.append("nodeConfig")
    yield from check_each(paths, _check_nodes, resource)


@POLICY.on("gcp:container/nodePool:NodePool")
def on_pools(resource: Resource) -> Iterator[Outcome]:
    """Pools whose nodes do not verify their boot."""
    yield from _check_nodes("nodeConfig", resource)


def _check_nodes(path: str, resource: Resource) -> Iterator[Outcome]:
    yield from check_each([f"{path}.{_CONFIG}.enableSecureBoot"], _check, resource, False)
    yield from check_each([f"{path}.{_CONFIG}.enableIntegrityMonitoring"], _check, resource, True)


@POLICY.on(
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
    "gcp:workbench/instance:Instance",
)
def on_machines(resource: Resource) -> Iterator[Outcome]:
    """Machines that disable it explicitly: what their default is depends on the image."""
    path = f"gceSetup.{_CONFIG}" if resource.type.startswith("gcp:workbench/") else _CONFIG
    yield from check_each([f"{path}.{key}" for key in _EFFECTS], _check, resource, True)


def _check(path: str, resource: Resource, default: bool) -> Iterator[Outcome]:
    value = resource.known(path)
    if (default if value is None else value) is not True:
        yield Violation(path, f"{describe(value)}: {_EFFECTS[path.rpartition('.')[2]]}")

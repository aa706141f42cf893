"""Disks are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.keys import customer_key

POLICY = Policy(
    title="Disks under a customer's key",
    severity="high",
    description="Disks of nodes, machines and file systems hold images, caches, checkpoints and secrets in "
    "memory dumps. With a key of one's own, who may read a copy of a disk is decided by the key's policy, "
    "and every use of it is logged.",
    remediation="Set `encrypted: true` and `kmsKeyId` on AWS; `bootDiskKmsKey` or `diskEncryptionKey` on "
    "Google Cloud.",
    frameworks=("CIS GKE 5.9.1", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)


def _encrypted(resource: Resource, flag: str, key: str) -> Iterator[Judgement]:
    said = resource.get(flag)
    if said is UNKNOWN:
        yield Undecided(flag)
    elif str(said).lower() != "true":
        yield Finding(flag, "is not set, so the disk is encrypted only where the account happens to do so")
    else:
        yield from customer_key(resource, key, "its blocks")


@POLICY.on("aws:ebs/volume:Volume", "aws:efs/fileSystem:FileSystem")
def on_disks(resource: Resource) -> Iterator[Judgement]:
    """Volumes and file systems."""
    yield from _encrypted(resource, "encrypted", "kmsKeyId")


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate")
def on_templates(resource: Resource) -> Iterator[Judgement]:
    """The disks that a launch template names."""
    if resource.get("blockDeviceMappings") is UNKNOWN:
        yield Undecided("blockDeviceMappings")
    for path, mapping in resource.items("blockDeviceMappings"):
        unused = cast("dict[str, Any]", mapping).get("noDevice")
        if unused is UNKNOWN:
            yield Undecided(f"{path}.noDevice")
        elif resource.get(f"{path}.ebs") is not None and not unused:
            yield from _encrypted(resource, f"{path}.ebs.encrypted", f"{path}.ebs.kmsKeyId")


@POLICY.on("aws:ec2/instance:Instance")
def on_machines(resource: Resource) -> Iterator[Judgement]:
    """The root disk of a machine, and those beside it."""
    yield from _encrypted(resource, "rootBlockDevice.encrypted", "rootBlockDevice.kmsKeyId")
    for path, _ in resource.items("ebsBlockDevices"):
        yield from _encrypted(resource, f"{path}.encrypted", f"{path}.kmsKeyId")


@POLICY.on("gcp:container/nodePool:NodePool")
def on_nodes(resource: Resource) -> Iterator[Judgement]:
    """The boot disks of a pool's nodes."""
    yield from customer_key(resource, "nodeConfig.bootDiskKmsKey", "the boot disks of its nodes")


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Judgement]:
    """The boot disks of pools that a cluster declares itself, keeps from its making, or makes when needed."""
    autopilot, adds = resource.get("enableAutopilot") is True, resource.get("clusterAutoscaling.enabled")
    if adds is UNKNOWN:
        yield Undecided("clusterAutoscaling.enabled")
    elif autopilot or adds is True:
        path = "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey"
        yield from customer_key(resource, path, "the boot disks of nodes that it adds")
    own = [f"{path}.nodeConfig" for path, _ in resource.items("nodePools")]
    if not own and not autopilot and resource.get("removeDefaultNodePool") is not True:
        own = ["nodeConfig"]
    for path in own:
        yield from customer_key(resource, f"{path}.bootDiskKmsKey", "the boot disks of its nodes")


_DISKS: Final = {
    "gcp:compute/disk:Disk": "diskEncryptionKey.kmsKeySelfLink",
    "gcp:compute/regionDisk:RegionDisk": "diskEncryptionKey.kmsKeyName",
}
_BROUGHT: Final = ("rawKey", "rawKeyWo", "rsaEncryptedKey")


@POLICY.on(*_DISKS)
def on_google_disks(resource: Resource) -> Iterator[Judgement]:
    """Disks by themselves; one whose key the customer brings along has one."""
    if all(resource.get(f"diskEncryptionKey.{key}") is None for key in _BROUGHT):
        yield from customer_key(resource, _DISKS[resource.type], "its blocks")


@POLICY.on("gcp:compute/instance:Instance")
def on_google_machines(resource: Resource) -> Iterator[Judgement]:
    """The boot disk of a machine; one that is there already is judged by itself."""
    own = ("source", "diskEncryptionKeyRaw", "diskEncryptionKeyRsa")
    if all(resource.get(f"bootDisk.{key}") is None for key in own):
        yield from customer_key(resource, "bootDisk.kmsKeySelfLink", "its blocks")


@POLICY.on(
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
def on_google_templates(resource: Resource) -> Iterator[Judgement]:
    """The disks that a template makes; local ones have no key by their nature."""
    if resource.get("disks") is UNKNOWN:
        yield Undecided("disks")
    for path, _ in resource.items("disks"):
        if resource.get(f"{path}.source") is None and resource.get(f"{path}.type") != "SCRATCH":
            yield from customer_key(resource, f"{path}.diskEncryptionKey.kmsKeySelfLink", "its blocks")

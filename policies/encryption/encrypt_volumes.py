"""Disks are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.keys import customer_key

POLICY = Policy(
    title="Disks under a customer's key",
    severity="high",
    description="Disks of nodes, machines and file systems hold images, caches, checkpoints and secrets in "
    "memory dumps. With a key of one's own, who may read a copy of a disk is decided by the key's policy, "
    "and "
    "every use of it is logged.",
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
        if resource.get(f"{path}.ebs") is not None and not cast("dict[str, Any]", mapping).get("noDevice"):
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


@POLICY.on("gcp:compute/disk:Disk", "gcp:compute/regionDisk:RegionDisk")
def on_google_disks(resource: Resource) -> Iterator[Judgement]:
    """Disks by themselves; one whose key the customer brings along (`rawKey`) has one."""
    if resource.get("diskEncryptionKey.rawKey") is None:
        yield from customer_key(resource, "diskEncryptionKey.kmsKeySelfLink", "its blocks")

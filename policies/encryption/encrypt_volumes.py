"""Disks are encrypted with a customer-managed key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each, describe
from ..framework.customer_keys import Key, customer_key, require_customer_keys

POLICY = Policy(
    title="Disks with a customer-managed key",
    severity="high",
    description="Disks of nodes, machines and file systems contain images, caches, checkpoints and secrets "
    "in memory dumps. With a customer-managed key, the key's policy decides who can read a copy of a disk, "
    "and every use of it is logged.",
    remediation="Set `encrypted: true` and `kmsKeyId` on AWS; `bootDiskKmsKey` or `diskEncryptionKey` on "
    "Google Cloud; the key in the parameters of a StorageClass and in Karpenter's `blockDeviceMappings`.",
    frameworks=("CIS GKE 5.9.1", "NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

_BLOCKS: Final = "its blocks"
_BOOT_DISKS: Final = "the boot disks of its nodes"
_DISK: Final = Key("kmsKeyId", _BLOCKS, "encrypted", (True, "true", "True"))
_DISK_KEY: Final = "diskEncryptionKey"
# A key that the customer supplies with each request.
_SUPPLIED: Final = tuple(f"{_DISK_KEY}.{key}" for key in ("rawKey", "rawKeyWo", "rsaEncryptedKey"))

require_customer_keys(
    POLICY,
    {
        "aws:ebs/volume:Volume": _DISK,
        "aws:efs/fileSystem:FileSystem": _DISK,
        "aws:ec2/instance:Instance": (
            Key("rootBlockDevice.kmsKeyId", _BLOCKS, "rootBlockDevice.encrypted", _DISK.modes),
            Key("kmsKeyId", _BLOCKS, "encrypted", _DISK.modes, entries="ebsBlockDevices"),
        ),
        "gcp:container/nodePool:NodePool": Key("nodeConfig.bootDiskKmsKey", _BOOT_DISKS),
        "gcp:compute/disk:Disk": Key(
            f"{_DISK_KEY}.kmsKeySelfLink", _BLOCKS, unless=dict.fromkeys(_SUPPLIED, ())
        ),
        "gcp:compute/regionDisk:RegionDisk": Key(
            f"{_DISK_KEY}.kmsKeyName", _BLOCKS, unless=dict.fromkeys(_SUPPLIED, ())
        ),
        # An existing boot disk is evaluated as a resource.
        "gcp:compute/instance:Instance": Key(
            "bootDisk.kmsKeySelfLink",
            _BLOCKS,
            unless={
                "bootDisk.source": (),
                "bootDisk.diskEncryptionKeyRaw": (),
                "bootDisk.diskEncryptionKeyRsa": (),
            },
        ),
    },
)


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate")
def on_templates(resource: Resource) -> Iterator[Outcome]:
    """The disks that a launch template declares."""
    yield from check_each(resource.entries("blockDeviceMappings"), _check_mapping, resource)


def _check_mapping(mapping: Entry, resource: Resource) -> Iterator[Outcome]:
    if mapping.known("noDevice") or mapping.known("ebs") is None:
        return
    encrypted = mapping.known("ebs.encrypted")
    if encrypted not in _DISK.modes:
        problem = f"{describe(encrypted)}, so {_BLOCKS} have no customer-managed key"
        yield Violation(mapping.where("ebs.encrypted"), problem)
    else:
        yield from customer_key(resource, mapping.where("ebs.kmsKeyId"), _BLOCKS)


@POLICY.on("kubernetes:karpenter.k8s.aws/")
def on_karpenter(resource: Resource) -> Iterator[Outcome]:
    """The disks of Karpenter's nodes. Without a mapping they have a key of AWS."""
    path = "spec.blockDeviceMappings"
    if resource.known(path) is None and resource.type.endswith(":EC2NodeClass"):
        yield Violation(path, "is not set, so the disks of its nodes have no customer-managed key")
    yield from check_each(resource.entries(path), _check_node_disk, resource)


def _check_node_disk(mapping: Entry, resource: Resource) -> Iterator[Outcome]:
    encrypted = mapping.known("ebs.encrypted")
    if encrypted not in _DISK.modes:
        problem = f"{describe(encrypted)}, so {_BLOCKS} have no customer-managed key"
        yield Violation(mapping.where("ebs.encrypted"), problem)
    else:
        yield from customer_key(resource, mapping.where("ebs.kmsKeyID"), _BLOCKS)


_EBS: Final = ("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs")
_CLASS_KEYS: Final = {
    **dict.fromkeys(_EBS, "kmsKeyId"),
    "pd.csi.storage.gke.io": "disk-encryption-kms-key",
    "kubernetes.io/gce-pd": "disk-encryption-kms-key",
    "filestore.csi.storage.gke.io": "instance-encryption-kms-key",
}
"""Driver of a StorageClass -> the parameter with the key. EFS has the key of its file system."""


@POLICY.on("kubernetes:storage.k8s.io/v1:StorageClass")
def on_storage_classes(resource: Resource) -> Iterator[Outcome]:
    """The volumes that drivers create for a class."""
    driver = resource.known("provisioner")
    key = _CLASS_KEYS.get(driver)
    if key is None:
        return
    if driver in _EBS:
        encrypted = resource.known("parameters.encrypted")
        if str(encrypted).lower() != "true":
            problem = f"{describe(encrypted)}, so volumes of the class have no customer-managed key"
            yield Violation("parameters.encrypted", problem)
            return
    yield from customer_key(resource, f"parameters.{key}", "volumes of the class")


@POLICY.on("gcp:container/cluster:Cluster")
def on_clusters(resource: Resource) -> Iterator[Outcome]:
    """The boot disks of pools that a cluster declares, of its default pool, and of pools that it creates."""
    autopilot = resource.raw("enableAutopilot") is True
    yield from check_each(["clusterAutoscaling"], _check_created_pools, resource, autopilot)
    pools = [pool.where("nodeConfig") for pool in resource.entries("nodePools")]
    if not pools and not autopilot and resource.known("removeDefaultNodePool") is not True:
        pools = ["nodeConfig"]
    for path in pools:
        yield from customer_key(resource, f"{path}.bootDiskKmsKey", _BOOT_DISKS)


def _check_created_pools(path: str, resource: Resource, autopilot: bool) -> Iterator[Outcome]:
    if autopilot or resource.known(f"{path}.enabled") is True:
        key = f"{path}.autoProvisioningDefaults.bootDiskKmsKey"
        yield from customer_key(resource, key, "the boot disks of nodes that it creates")


@POLICY.on(
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
def on_google_templates(resource: Resource) -> Iterator[Outcome]:
    """The disks that a template creates; local disks cannot have a key."""
    yield from check_each(resource.entries("disks"), _check_disk, resource)


def _check_disk(disk: Entry, resource: Resource) -> Iterator[Outcome]:
    if disk.known("source") is None and disk.known("type") != "SCRATCH":
        yield from customer_key(resource, disk.where(f"{_DISK_KEY}.kmsKeySelfLink"), _BLOCKS)

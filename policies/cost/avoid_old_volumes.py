"""Disks are of the generation that costs less."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Properties, Resource, Violation, check_each, describe

POLICY = Policy(
    title="No gp2 volumes",
    severity="low",
    description="A gp3 volume costs a fifth less than gp2 of the same size, and its throughput does not "
    "depend on its size. EC2 still creates gp2 volumes by default.",
    remediation="Set `type`, `volumeType` or `storageType` to gp3.",
)


@POLICY.on("aws:ebs/volume:Volume")
def on_volumes(resource: Resource) -> Iterator[Outcome]:
    """Volumes, which are gp2 by default, whatever the type of their snapshot."""
    kind = resource.known("type")
    if kind in (None, "gp2"):
        yield Violation("type", f"{describe(kind)}; the default is gp2")


@POLICY.on("aws:rds/instance:Instance")
def on_databases(resource: Resource) -> Iterator[Outcome]:
    """Databases, which are gp3 or io1 by default."""
    yield from _check_type(resource, "storageType")


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance")
def on_machines(resource: Resource) -> Iterator[Outcome]:
    """The disks of machines; their default is that of the image."""
    yield from check_each(resource.entries("blockDeviceMappings"), _check_type, "ebs.volumeType")
    yield from check_each(resource.entries("ebsBlockDevices"), _check_type, "volumeType")
    yield from _check_type(resource, "rootBlockDevice.volumeType")


def _check_type(properties: Properties, path: str) -> Iterator[Outcome]:
    if properties.known(path) == "gp2":
        yield Violation(properties.where(path), "is 'gp2'")


@POLICY.on("kubernetes:storage.k8s.io/v1:StorageClass")
def on_classes(resource: Resource) -> Iterator[Outcome]:
    """Storage classes of EBS, whose driver uses gp3 by default."""
    if "ebs" in str(resource.known("provisioner")):
        yield from _check_type(resource, "parameters.type")

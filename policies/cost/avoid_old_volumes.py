"""Disks are of the generation that costs less."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No gp2 volumes",
    severity="low",
    description="A gp3 volume costs a fifth less than gp2 of the same size, and its throughput does not "
    "depend on how large it is. EC2 still makes a volume of gp2 where nothing is said.",
    remediation="Set `type`, `volumeType` or `storageType` to gp3.",
)


@POLICY.on("aws:ebs/volume:Volume")
def on_volumes(resource: Resource) -> Iterator[Judgement]:
    """Volumes, which are gp2 unless it is said, whatever their snapshot was of."""
    kind = resource.get("type")
    if kind is UNKNOWN:
        yield Undecided("type")
    elif kind in (None, "gp2"):
        yield Finding("type", "is 'gp2'" if kind else "is not set, and gp2 by default")


@POLICY.on("aws:rds/instance:Instance")
def on_databases(resource: Resource) -> Iterator[Judgement]:
    """Databases, which RDS makes on gp3 or io1 where nothing is said."""
    kind = resource.get("storageType")
    if kind is UNKNOWN:
        yield Undecided("storageType")
    elif kind == "gp2":
        yield Finding("storageType", "is 'gp2'")


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance")
def on_machines(resource: Resource) -> Iterator[Judgement]:
    """The disks of machines; where nothing is said they are as their image says."""
    mapped = (f"{path}.ebs.volumeType" for path, _ in resource.items("blockDeviceMappings"))
    beside = (f"{path}.volumeType" for path, _ in resource.items("ebsBlockDevices"))
    for path in (*mapped, *beside, "rootBlockDevice.volumeType"):
        kind = resource.get(path)
        if kind is UNKNOWN:
            yield Undecided(path)
        elif kind == "gp2":
            yield Finding(path, "is 'gp2'")


@POLICY.on("kubernetes:storage.k8s.io/v1:StorageClass")
def on_classes(resource: Resource) -> Iterator[Judgement]:
    """Storage classes of EBS; the driver takes gp3 unless it is said."""
    kind = resource.get("parameters.type")
    if kind is UNKNOWN:
        yield Undecided("parameters.type")
    elif kind == "gp2" and "ebs" in str(resource.get("provisioner")):
        yield Finding("parameters.type", "is 'gp2'")

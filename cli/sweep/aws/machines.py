"""Instances, launch templates, volumes, snapshots and addresses of EC2."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from cli.clients.errors import UncheckedError
from cli.estimate.lines import HOURS
from cli.sweep.claims import tags_of
from cli.sweep.item import Item, Kind, Scope

_EXISTING: Final = ("pending", "running", "stopping", "stopped")
_GP3_IOPS: Final = 3000
_GP3_THROUGHPUT: Final = 125
"""What the price of a gp3 volume includes, a second. Source: the EBS price page."""
_WAIT_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 2.0


def _instances(scope: Scope) -> Iterator[Item]:
    states = {"Name": "instance-state-name", "Values": list(_EXISTING)}
    reservations: list[Any] = scope.client.pages(
        "ec2", "describe_instances", "Reservations", Filters=[states]
    )
    for instance in (instance for entry in reservations for instance in entry["Instances"]):
        id = str(instance["InstanceId"])
        runs = instance["State"]["Name"] in ("pending", "running")
        yield Item(
            "instance",
            id,
            tags=tags_of(instance.get("Tags")),
            since=str(instance.get("LaunchTime", "")),
            network=str(instance.get("VpcId", "")),
            costs=((f"ec2/{instance['InstanceType']}", HOURS),) if runs else (),
            command=f"aws --region {scope.region} ec2 terminate-instances --instance-ids {id}",
            delete=partial(_terminate, id),
        )


def _terminate(id: str, client: Any) -> None:
    """Terminate an instance and wait: it keeps its network interfaces and groups until its end."""
    client.call("ec2", "terminate_instances", InstanceIds=[id])
    end = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < end:
        reservations: list[Any] = client.pages("ec2", "describe_instances", "Reservations", InstanceIds=[id])
        states = {instance["State"]["Name"] for entry in reservations for instance in entry["Instances"]}
        if states <= {"terminated"}:
            return
        time.sleep(_POLL_SECONDS)
    raise UncheckedError(f"the instance has not ended after {_WAIT_SECONDS:.0f} seconds")


def _launch_templates(scope: Scope) -> Iterator[Item]:
    templates: list[Any] = scope.client.pages("ec2", "describe_launch_templates", "LaunchTemplates")
    for template in templates:
        id = str(template["LaunchTemplateId"])
        yield Item(
            "launch template",
            id,
            name=str(template["LaunchTemplateName"]),
            tags=tags_of(template.get("Tags")),
            since=str(template.get("CreateTime", "")),
            command=f"aws --region {scope.region} ec2 delete-launch-template --launch-template-id {id}",
            delete=lambda client, id=id: client.call("ec2", "delete_launch_template", LaunchTemplateId=id),
        )


def _volumes(scope: Scope) -> Iterator[Item]:
    volumes: list[Any] = scope.client.pages("ec2", "describe_volumes", "Volumes")
    for volume in volumes:
        id = str(volume["VolumeId"])
        attached = ", ".join(str(entry["InstanceId"]) for entry in volume.get("Attachments") or ())
        state = str(volume["State"])
        busy = (
            f"attached to {attached}" if attached else "" if state == "available" else f"its state is {state}"
        )
        yield Item(
            "volume",
            id,
            tags=tags_of(volume.get("Tags")),
            since=str(volume.get("CreateTime", "")),
            busy=busy,
            costs=_costs_of_volume(volume),
            command=f"aws --region {scope.region} ec2 delete-volume --volume-id {id}",
            delete=lambda client, id=id: client.call("ec2", "delete_volume", VolumeId=id),
        )


def _costs_of_volume(volume: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    kind, size = str(volume["VolumeType"]), float(volume["Size"])
    costs = [(f"ebs/{kind}", size)]
    if kind == "gp3":
        costs += [
            ("ebs/gp3-iops", max(0.0, float(volume.get("Iops") or 0) - _GP3_IOPS)),
            ("ebs/gp3-throughput", max(0.0, float(volume.get("Throughput") or 0) - _GP3_THROUGHPUT)),
        ]
    return tuple((price, quantity) for price, quantity in costs if quantity)


def _snapshots(scope: Scope) -> Iterator[Item]:
    snapshots: list[Any] = scope.client.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"])
    for snapshot in snapshots:
        id = str(snapshot["SnapshotId"])
        state = str(snapshot.get("State", "completed"))
        yield Item(
            "snapshot",
            id,
            tags=tags_of(snapshot.get("Tags")),
            since=str(snapshot.get("StartTime", "")),
            busy="" if state == "completed" else f"its state is {state}",
            # At most: a snapshot has only the blocks that the one before lacks.
            costs=(("ebs/snapshot", float(snapshot["VolumeSize"])),),
            command=f"aws --region {scope.region} ec2 delete-snapshot --snapshot-id {id}",
            delete=lambda client, id=id: client.call("ec2", "delete_snapshot", SnapshotId=id),
        )


def _addresses(scope: Scope) -> Iterator[Item]:
    addresses: list[Any] = scope.client.pages("ec2", "describe_addresses", "Addresses")
    for address in addresses:
        id = str(address.get("AllocationId") or address["PublicIp"])
        user = address.get("AssociationId") and (
            address.get("InstanceId") or address.get("NetworkInterfaceId")
        )
        yield Item(
            "address",
            id,
            name=str(address["PublicIp"]),
            tags=tags_of(address.get("Tags")),
            busy=f"in use by {user}" if user else "",
            costs=(("ipv4/address", HOURS),),
            command=f"aws --region {scope.region} ec2 release-address --allocation-id {id}",
            delete=lambda client, id=id: client.call("ec2", "release_address", AllocationId=id),
        )


INSTANCES: Final = Kind("instance", _instances)
LAUNCH_TEMPLATES: Final = Kind("launch template", _launch_templates)
VOLUMES: Final = Kind("volume", _volumes)
SNAPSHOTS: Final = Kind("snapshot", _snapshots)
ADDRESSES: Final = Kind("address", _addresses)

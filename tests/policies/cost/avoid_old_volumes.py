"""Spec of cost.avoid_old_volumes."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _volume(**props: Any) -> Resource:
    return resource("aws:ebs/volume:Volume", {"size": 8, **props})


def _database(**props: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {"allocatedStorage": 100, **props})


def _template(**ebs: Any) -> Resource:
    return resource("aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": [{"ebs": ebs}]})


def _class(kind: Any) -> Resource:
    return resource(
        "kubernetes:storage.k8s.io/v1:StorageClass",
        {"provisioner": "ebs.csi.aws.com", "parameters": {"type": kind}},
    )


SPEC = Spec(
    passes={
        "gp3": _volume(type="gp3"),
        "a database on gp3": _database(storageType="gp3"),
        "a database with defaults": _database(),
        "an image's disk": _template(volumeSize=20),
        "a class of gp3": _class("gp3"),
    },
    fails={
        "gp2": Fails(_volume(type="gp2"), "type", "is 'gp2'"),
        "a volume with defaults": Fails(_volume(), "type", "the default is gp2"),
        "a volume of a snapshot": Fails(_volume(snapshotId="snap-1"), "type", "the default is gp2"),
        "a database on gp2": Fails(_database(storageType="gp2"), "storageType", "is 'gp2'"),
        "a template's disk": Fails(_template(volumeType="gp2"), "blockDeviceMappings[0].ebs.volumeType"),
        "a machine's disk": Fails(
            resource("aws:ec2/instance:Instance", {"rootBlockDevice": {"volumeType": "gp2"}}),
            "rootBlockDevice.volumeType",
        ),
        "a class of gp2": Fails(_class("gp2"), "parameters.type"),
    },
    unknown={
        "a type": _volume(type=UNKNOWN),
        "a database's": _database(storageType=UNKNOWN),
        "a template's": _template(volumeType=UNKNOWN),
        "a class's": _class(UNKNOWN),
    },
)

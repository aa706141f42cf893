"""Spec of encryption.encrypt_volumes."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


def _volume(**props: Any) -> Resource:
    return resource("aws:ebs/volume:Volume", {"availabilityZone": "eu-central-1a", "size": 8, **props})


def _template(**ebs: Any) -> Resource:
    return resource(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": ebs}]},
    )


def _pool(**config: Any) -> Resource:
    return resource("gcp:container/nodePool:NodePool", {"cluster": "acme", "nodeConfig": config})


SPEC = Spec(
    passes={
        "a volume with a key": _volume(encrypted=True, kmsKeyId=_KEY),
        "a template with a key": _template(encrypted="true", kmsKeyId=_KEY),
        "a template without disks": resource("aws:ec2/launchTemplate:LaunchTemplate", {}),
        "a pool with a key": _pool(bootDiskKmsKey="projects/acme/locations/eu/keyRings/a/cryptoKeys/b"),
        "a disk with a key": resource("gcp:compute/disk:Disk", {"diskEncryptionKey": {"rawKey": "abc"}}),
    },
    fails={
        "a plain volume": Fails(_volume(), "encrypted", "not set"),
        "a volume under AWS's key": Fails(_volume(encrypted=True), "kmsKeyId", "names no key"),
        "a volume under AWS's alias": Fails(
            _volume(encrypted=True, kmsKeyId="alias/aws/ebs"), "kmsKeyId", "alias/aws/ebs"
        ),
        "a template's disk in the clear": Fails(
            _template(volumeSize=20), "blockDeviceMappings[0].ebs.encrypted"
        ),
        "a machine's root disk": Fails(
            resource("aws:ec2/instance:Instance", {"ami": "ami-1"}), "rootBlockDevice.encrypted"
        ),
        "a plain pool": Fails(_pool(machineType="n2-standard-4"), "nodeConfig.bootDiskKmsKey"),
        "a plain disk": Fails(
            resource("gcp:compute/disk:Disk", {"zone": "a"}), "diskEncryptionKey.kmsKeySelfLink"
        ),
    },
    unknown={
        "a key that is not there yet": _volume(encrypted=True, kmsKeyId=UNKNOWN),
        "a flag that is not there yet": _volume(encrypted=UNKNOWN),
        "disks that are not known yet": resource(
            "aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": UNKNOWN}
        ),
    },
)

"""Spec of encryption.encrypt_volumes."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import node_class
from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


def _volume(**props: Any) -> Resource:
    return resource("aws:ebs/volume:Volume", {"availabilityZone": "eu-central-1a", "size": 8, **props})


def _template(**ebs: Any) -> Resource:
    return resource(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": ebs}]},
    )


def _disk(**ebs: Any) -> list[dict[str, Any]]:
    return [{"deviceName": "/dev/xvda", "ebs": {"volumeType": "gp3", **ebs}}]


def _storage_class(driver: str, **parameters: str) -> Resource:
    props = {"metadata": {"name": "fast"}, "provisioner": driver, "parameters": parameters}
    return resource("kubernetes:storage.k8s.io/v1:StorageClass", props)


def _pool(**config: Any) -> Resource:
    return resource("gcp:container/nodePool:NodePool", {"cluster": "acme", "nodeConfig": config})


_GOOGLE_KEY = "projects/acme/locations/eu/keyRings/a/cryptoKeys/b"


def _cluster(**props: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", {"location": "eu", **props})


def _machine(**boot: Any) -> Resource:
    return resource("gcp:compute/instance:Instance", {"bootDisk": boot})


def _disks(*disks: Any) -> Resource:
    return resource("gcp:compute/instanceTemplate:InstanceTemplate", {"disks": [*disks]})


SPEC = Spec(
    passes={
        "a volume with a key": _volume(encrypted=True, kmsKeyId=_KEY),
        "a template with a key": _template(encrypted="true", kmsKeyId=_KEY),
        "a template without disks": resource("aws:ec2/launchTemplate:LaunchTemplate", {}),
        "a pool with a key": _pool(bootDiskKmsKey="projects/acme/locations/eu/keyRings/a/cryptoKeys/b"),
        "a cluster whose pools are separate resources": _cluster(removeDefaultNodePool=True),
        "a cluster whose first pool has a key": _cluster(nodeConfig={"bootDiskKmsKey": _GOOGLE_KEY}),
        "Autopilot with a key": _cluster(
            enableAutopilot=True,
            clusterAutoscaling={"autoProvisioningDefaults": {"bootDiskKmsKey": _GOOGLE_KEY}},
        ),
        "a disk with a key": resource("gcp:compute/disk:Disk", {"diskEncryptionKey": {"rawKey": "abc"}}),
        "a disk of two zones with a key": resource(
            "gcp:compute/regionDisk:RegionDisk", {"diskEncryptionKey": {"kmsKeyName": _GOOGLE_KEY}}
        ),
        "a machine on Google Cloud with a key": _machine(kmsKeySelfLink=_GOOGLE_KEY),
        "a machine of a disk that exists": _machine(source="projects/acme/zones/a/disks/b"),
        "a template on Google Cloud with a key": _disks(
            {"diskEncryptionKey": {"kmsKeySelfLink": _GOOGLE_KEY}}, {"type": "SCRATCH"}
        ),
        "nodes of Karpenter": node_class(blockDeviceMappings=_disk(encrypted=True, kmsKeyID=_KEY)),
        "a class of volumes": _storage_class("ebs.csi.aws.com", encrypted="true", kmsKeyId=_KEY),
        "a class of file systems": _storage_class("efs.csi.aws.com", provisioningMode="efs-ap"),
        "a class of volumes on Google Cloud": _storage_class(
            "pd.csi.storage.gke.io", **{"type": "pd-balanced", "disk-encryption-kms-key": "projects/a"}
        ),
    },
    fails={
        "a cluster that keeps its first pool": Fails(
            _cluster(initialNodeCount=3), "nodeConfig.bootDiskKmsKey", "boot disks"
        ),
        "a pool that a cluster declares": Fails(
            _cluster(nodePools=[{"nodeConfig": {"bootDiskKmsKey": _GOOGLE_KEY}}, {"name": "plain"}]),
            "nodePools[1].nodeConfig.bootDiskKmsKey",
        ),
        "nodes that a cluster adds": Fails(
            _cluster(removeDefaultNodePool=True, clusterAutoscaling={"enabled": True}),
            "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey",
        ),
        "a plain volume": Fails(_volume(), "encrypted", "not set"),
        "a volume with AWS's key": Fails(_volume(encrypted=True), "kmsKeyId", "names no key"),
        "a volume with AWS's alias": Fails(
            _volume(encrypted=True, kmsKeyId="alias/aws/ebs"), "kmsKeyId", "alias/aws/ebs"
        ),
        "a template's disk without encryption": Fails(
            _template(volumeSize=20), "blockDeviceMappings[0].ebs.encrypted"
        ),
        "a machine's root disk": Fails(
            resource("aws:ec2/instance:Instance", {"ami": "ami-1"}), "rootBlockDevice.encrypted"
        ),
        "a plain pool": Fails(_pool(machineType="n2-standard-4"), "nodeConfig.bootDiskKmsKey"),
        "a plain disk of two zones": Fails(
            resource("gcp:compute/regionDisk:RegionDisk", {"region": "eu"}), "diskEncryptionKey.kmsKeyName"
        ),
        "a machine on Google Cloud with defaults": Fails(
            _machine(initializeParams={"image": "debian-cloud/debian-12"}), "bootDisk.kmsKeySelfLink"
        ),
        "a template on Google Cloud with defaults": Fails(
            _disks({"sourceImage": "debian-cloud/debian-12"}), "disks[0].diskEncryptionKey.kmsKeySelfLink"
        ),
        "a plain disk": Fails(
            resource("gcp:compute/disk:Disk", {"zone": "a"}), "diskEncryptionKey.kmsKeySelfLink"
        ),
        "nodes of Karpenter with the default": Fails(node_class(), "spec.blockDeviceMappings", "is not set"),
        "nodes of Karpenter without encryption": Fails(
            node_class(blockDeviceMappings=_disk(encrypted=False)),
            "spec.blockDeviceMappings[0].ebs.encrypted",
        ),
        "nodes of Karpenter without a key": Fails(
            node_class(blockDeviceMappings=_disk(encrypted=True)),
            "spec.blockDeviceMappings[0].ebs.kmsKeyID",
        ),
        "a class of volumes without encryption": Fails(
            _storage_class("ebs.csi.aws.com", type="gp3"), "parameters.encrypted", "is not set"
        ),
        "a class of volumes with encryption off": Fails(
            _storage_class("ebs.csi.eks.amazonaws.com", encrypted="false"), "parameters.encrypted"
        ),
        "a class of volumes without a key": Fails(
            _storage_class("kubernetes.io/aws-ebs", encrypted="true"), "parameters.kmsKeyId"
        ),
        "a class of volumes without a key on Google Cloud": Fails(
            _storage_class("pd.csi.storage.gke.io", type="pd-ssd"),
            "parameters.disk-encryption-kms-key",
        ),
    },
    unknown={
        "the key of Karpenter's nodes": node_class(
            blockDeviceMappings=_disk(encrypted=True, kmsKeyID=UNKNOWN)
        ),
        "the parameters of a class": resource(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            {"provisioner": "ebs.csi.aws.com", "parameters": UNKNOWN},
        ),
        "a machine's key on Google Cloud": _machine(kmsKeySelfLink=UNKNOWN),
        "disks of a template that is unknown": resource(
            "gcp:compute/instanceTemplate:InstanceTemplate", {"disks": UNKNOWN}
        ),
        "a key that does not exist yet": _volume(encrypted=True, kmsKeyId=UNKNOWN),
        "a flag that does not exist yet": _volume(encrypted=UNKNOWN),
        "disks that is unknown": resource(
            "aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": UNKNOWN}
        ),
    },
)

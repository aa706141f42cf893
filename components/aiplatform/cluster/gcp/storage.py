"""Volumes on GKE: StorageClasses whose disks the cluster's own key encrypts."""

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions
from pulumi_gcp import container
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs
from pulumi_kubernetes.storage.v1 import StorageClass, StorageClassPatch

from aiplatform.cluster.storage_annotations import DEFAULT

_CLASSES = {
    # Disks of nearly all machines, with accelerators up to A3 High.
    "balanced": "pd-balanced",
    # Machines without persistent disks have these alone: A4, C4, N4.
    "hyperdisk": "hyperdisk-balanced",
}


def storage_classes(
    parent: pulumi.ComponentResource,
    name: str,
    cluster: container.Cluster,
    key: Output[str],
    provider: kubernetes.Provider,
) -> None:
    """`balanced` is the default; standard-rwo, which GKE installs, is not: Google's keys encrypt its disks.

    GKE makes standard-rwo once and leaves it as it is found (it has the mode EnsureExists). All of these own
    nothing in the cloud, so they go with the cluster.
    """
    options = ResourceOptions(parent=parent, provider=provider, deleted_with=cluster)
    for each, disk in _CLASSES.items():
        StorageClass(
            f"{name}-{each}",
            metadata=ObjectMetaArgs(name=each, annotations={DEFAULT: "true"} if each == "balanced" else None),
            provisioner="pd.csi.storage.gke.io",
            parameters={"type": disk, "disk-encryption-kms-key": key},
            # A volume is made in its Pod's zone.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            opts=options,
        )
    StorageClassPatch(
        f"{name}-standard-rwo",
        # Forced: the mark belongs to GKE's own field manager.
        metadata=ObjectMetaPatchArgs(
            name="standard-rwo", annotations={DEFAULT: "false", "pulumi.com/patchForce": "true"}
        ),
        opts=options,
    )

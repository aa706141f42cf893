"""Volumes on GKE: StorageClasses whose disks the cluster's own key encrypts."""

import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions
from pulumi_gcp import container
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs
from pulumi_kubernetes.storage.v1 import StorageClass, StorageClassPatch

from aiplatform.cluster.gcp.context import GkeContext
from aiplatform.cluster.storage_annotations import DEFAULT

_DISK_TYPES = {
    # Disks of nearly all machines, with accelerators up to A3 High.
    "balanced": "pd-balanced",
    # The only disks of A4, C4 and N4.
    "hyperdisk": "hyperdisk-balanced",
}
"""StorageClass -> type of its disks."""


def storage_classes(
    context: GkeContext, cluster: container.Cluster, key: Output[str], provider: kubernetes.Provider
) -> None:
    """Create `balanced` as the default StorageClass instead of standard-rwo, which GKE installs: Google's
    keys encrypt its disks.

    GKE creates standard-rwo once and does not revert changes of it (it has the mode EnsureExists). All of
    these own nothing in the cloud, so they are deleted with the cluster.
    """
    options = ResourceOptions(parent=context.parent, provider=provider, deleted_with=cluster)
    for name, disk_type in _DISK_TYPES.items():
        StorageClass(
            f"{context.name}-{name}",
            metadata=ObjectMetaArgs(name=name, annotations={DEFAULT: "true"} if name == "balanced" else None),
            provisioner="pd.csi.storage.gke.io",
            parameters={"type": disk_type, "disk-encryption-kms-key": key},
            # A volume is created in its Pod's zone.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            opts=options,
        )
    StorageClassPatch(
        f"{context.name}-standard-rwo",
        # Forced: the annotation belongs to GKE's own field manager.
        metadata=ObjectMetaPatchArgs(
            name="standard-rwo", annotations={DEFAULT: "false", "pulumi.com/patchForce": "true"}
        ),
        opts=options,
    )

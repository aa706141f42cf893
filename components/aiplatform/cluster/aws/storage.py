"""Volumes: the key that encrypts those of nodes and persistent ones, and the default StorageClass."""

import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions
from pulumi_aws import eks, kms
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs
from pulumi_kubernetes.storage.v1 import StorageClass, StorageClassPatch

from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import instances_may_use_key, key_policy
from aiplatform.cluster.args import VOLUMES_KEY_ALIAS
from aiplatform.cluster.aws.context import EksContext
from aiplatform.cluster.storage_annotations import DEFAULT


def volumes_key(context: EksContext) -> Key:
    """Return the key of the volumes of nodes and of persistent volumes: another one than the cluster's,
    because persistent volumes may remain after the cluster. A new one where the settings name none."""
    stated = context.settings.volumes_kms_key
    if stated is not None:
        return existing_key(stated, context.account, "ClusterArgs.volumes_kms_key")
    key = kms.Key(
        f"{context.name}-volumes-key",
        description=f"Volumes of nodes and persistent volumes of {context.cluster_name}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(context.account, *instances_may_use_key(context.account)),
        tags=context.tags("cluster-volumes"),
        # Without it, volumes that remain after the cluster are lost.
        opts=context.options(protect=True, retain=True),
    )
    alias = VOLUMES_KEY_ALIAS.of(context.settings.prefix)
    name_key(f"{context.name}-volumes-key", key, alias, context.options())
    return Key(key.arn)


def storage_classes(
    context: EksContext, cluster: eks.Cluster, key: Key, provider: kubernetes.Provider
) -> None:
    """Create gp3, encrypted, as the default StorageClass instead of gp2, which EKS installs.

    Since Kubernetes 1.30 EKS installs gp2 without the annotation of the default; a cluster that was created
    with an older version has it. Both objects own nothing in the cloud, so they are deleted with the cluster.
    """
    options = ResourceOptions(parent=context.parent, provider=provider, deleted_with=cluster)
    StorageClass(
        f"{context.name}-gp3",
        metadata=ObjectMetaArgs(name="gp3", annotations={DEFAULT: "true"}),
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": key.arn},
        # A volume is created in its Pod's zone.
        volume_binding_mode="WaitForFirstConsumer",
        allow_volume_expansion=True,
        reclaim_policy="Delete",
        opts=options,
    )
    StorageClassPatch(
        f"{context.name}-gp2",
        # Forced: the annotation, where there is one, belongs to EKS's own field manager.
        metadata=ObjectMetaPatchArgs(
            name="gp2", annotations={DEFAULT: "false", "pulumi.com/patchForce": "true"}
        ),
        opts=options,
    )

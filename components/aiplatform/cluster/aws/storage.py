"""Volumes: the key that encrypts them, those of nodes too, and the default StorageClass."""

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions
from pulumi_aws import eks, kms
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs
from pulumi_kubernetes.storage.v1 import StorageClass, StorageClassPatch

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.policy_documents import autoscaling_may_use_key, key_policy
from aiplatform.cluster.args import CLUSTER, VOLUMES_KEY_ALIAS, ClusterSettings
from aiplatform.cluster.storage_annotations import DEFAULT


def volumes_key(
    parent: pulumi.ComponentResource, name: str, settings: ClusterSettings, account: Account
) -> kms.Key:
    """The key of volumes, those of nodes and persistent ones: another one than the cluster's, for persistent
    volumes may outlive it."""
    key = kms.Key(
        f"{name}-volumes-key",
        description=f"Volumes of nodes and persistent volumes of {CLUSTER.of(settings.prefix)}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=key_policy(account, *autoscaling_may_use_key(account)),
        tags={**settings.tags, "Name": f"{settings.prefix}-cluster-volumes"},
        opts=ResourceOptions(
            parent=parent,
            protect=True if settings.protect else None,
            # Volumes that outlive the cluster are lost without it.
            retain_on_delete=True if settings.retain_data else None,
        ),
    )
    kms.Alias(
        f"{name}-volumes-key",
        name=VOLUMES_KEY_ALIAS.of(settings.prefix),
        target_key_id=key.key_id,
        opts=ResourceOptions(parent=parent),
    )
    return key


def storage_classes(
    parent: pulumi.ComponentResource,
    name: str,
    cluster: eks.Cluster,
    key: kms.Key,
    provider: kubernetes.Provider,
) -> None:
    """gp3, encrypted, is the default; gp2, which EKS installs, is not.

    Since Kubernetes 1.30 EKS installs gp2 without the mark; a cluster that was made with an older version has
    it. Both objects own nothing in the cloud, so they go with the cluster.
    """
    options = ResourceOptions(parent=parent, provider=provider, deleted_with=cluster)
    StorageClass(
        f"{name}-gp3",
        metadata=ObjectMetaArgs(name="gp3", annotations={DEFAULT: "true"}),
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": key.arn},
        # A volume is made in its Pod's zone.
        volume_binding_mode="WaitForFirstConsumer",
        allow_volume_expansion=True,
        reclaim_policy="Delete",
        opts=options,
    )
    StorageClassPatch(
        f"{name}-gp2",
        # Forced: the mark, where there is one, belongs to EKS's own field manager.
        metadata=ObjectMetaPatchArgs(
            name="gp2", annotations={DEFAULT: "false", "pulumi.com/patchForce": "true"}
        ),
        opts=options,
    )

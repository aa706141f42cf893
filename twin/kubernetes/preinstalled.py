"""What a managed cluster has in it on its first day."""

from __future__ import annotations

from twin.instances import Instance
from twin.kubernetes import addons, manifests
from twin.kubernetes.api import Kube
from twin.kubernetes.cloud_interface import Addon, Cluster

SELF_MANAGED = ("vpc-cni", "kube-proxy", "coredns")
"""What EKS puts in where `bootstrapSelfManagedAddons` is true, which is its default."""


def install(kube: Kube, instance: Instance, cluster: Cluster) -> None:
    """Apply the cloud's own objects. Repeated, it changes nothing.

    AWS: the StorageClass gp2, which is the default no longer (since EKS 1.30), the roles of EKS's own
    components, the CRDs of the VPC resource controller and the network policy controller. No ConfigMap
    aws-auth: it comes with the authentication mode CONFIG_MAP only.
    """
    manager = manifests.MANAGER[instance.cloud]
    if manifests.exists(instance.cloud, "preinstalled"):
        manifests.apply(kube, manifests.load(instance.cloud, "preinstalled"), manager)
    if cluster.self_managed_addons:
        for name in SELF_MANAGED:
            addon = Addon(name, "", "ACTIVE", {})
            manifests.apply(kube, addons.objects(instance, addon, cluster), manager)

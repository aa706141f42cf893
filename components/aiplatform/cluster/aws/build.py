"""The cluster on AWS: EKS, its system nodes and its add-ons, in the order that works.

Key, log group and role; cluster; access entries; add-ons that a node needs; nodes; the other add-ons and the
Kubernetes provider; the StorageClasses.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.dependencies import after
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.aws.access import grant_admins
from aiplatform.cluster.aws.addons import Addons
from aiplatform.cluster.aws.control_plane import ControlPlane, ControlPlaneBuilder
from aiplatform.cluster.aws.leftovers import refuse_leftover_logs
from aiplatform.cluster.aws.nodes import node_role, system_nodes
from aiplatform.cluster.aws.storage import storage_classes, volumes_key
from aiplatform.cluster.kubeconfig import kubeconfig


@dataclass(frozen=True)
class Built:
    """What the component shows of the cluster."""

    outputs: ClusterReferenceArgs
    kubernetes: kubernetes.Provider


def build(parent: pulumi.ComponentResource, name: str, settings: ClusterSettings) -> Built:
    """All of it, as children of one component."""
    refuse_leftover_logs(settings.prefix, pulumi.InvokeOptions(parent=parent))
    account = account_of(parent)
    control_plane = ControlPlaneBuilder(parent, name, settings, account).build()
    cluster = control_plane.cluster
    admins = grant_admins(parent, name, settings, cluster, account)
    addons = Addons(parent, name, settings, cluster, control_plane.name, account)
    role, policies = node_role(parent, name, settings, account)
    ready: list[pulumi.Resource] = [*policies, *addons.before_nodes()]
    key = volumes_key(parent, name, settings, account)
    nodes = system_nodes(parent, name, settings, cluster, role, key, ready)
    addons.after_nodes(nodes, key)
    config = _kubeconfig(control_plane, account)
    # The provider asks the API once, when it is configured, and takes a cluster that does not answer for
    # unreachable during the whole run. EKS reports ACTIVE some seconds before the endpoint always answers,
    # and access entries are eventually consistent (EKS user guide, "Grant IAM users access to Kubernetes with
    # EKS access entries"): nodes that joined prove the first, and took minutes, which cover the second.
    # Objects are deleted while the right, the way and the nodes still exist.
    provider = kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=config,
        opts=ResourceOptions(parent=parent, depends_on=[*admins, *control_plane.ways, nodes]),
    )
    storage_classes(parent, name, cluster, key, provider)
    outputs: ClusterReferenceArgs = {
        "cloud": "aws",
        "name": cluster.name,
        "version": settings.version,
        "arn": cluster.arn,
        "endpoint": cluster.endpoint,
        "certificate_authority": control_plane.certificate_authority,
        "service_cidr": settings.eks.service_cidr,
        "security_group_id": control_plane.security_group_id,
        # A pool's nodes need the role's policies and the VPC CNI, and are gone before these go.
        "node_role_arn": after(role.arn, *ready),
        "oidc_issuer": control_plane.oidc_issuer,
        "oidc_provider_arn": control_plane.oidc_provider.arn,
        "kubeconfig": config,
        "kms_key_arn": control_plane.key.arn,
        "volume_key_arn": key.arn,
    }
    return Built(outputs, provider)


def _kubeconfig(control_plane: ControlPlane, account: Account) -> Output[str]:
    return Output.all(
        control_plane.cluster.name, control_plane.cluster.endpoint, control_plane.certificate_authority
    ).apply(lambda each: kubeconfig(str(each[0]), account.region, str(each[1]), str(each[2])))

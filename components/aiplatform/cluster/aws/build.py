"""The cluster on AWS: EKS, its system nodes and its add-ons, in the order in which they depend on each other.

Key, log group and role; cluster; access entries; add-ons that a node needs; nodes; the other add-ons and the
Kubernetes provider; the StorageClasses.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions

from aiplatform._shared.aws.account import Account, account_of
from aiplatform._shared.aws.node_groups import zones_that_offer
from aiplatform._shared.dependencies import after
from aiplatform._shared.references.cluster import ClusterReferenceArgs
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.aws.access import grant_admins
from aiplatform.cluster.aws.addons import addon_versions, addons_after_nodes, addons_before_nodes
from aiplatform.cluster.aws.context import EksContext
from aiplatform.cluster.aws.control_plane import ControlPlane, control_plane
from aiplatform.cluster.aws.leftovers import refuse_leftover_logs
from aiplatform.cluster.aws.nodes import check_offered, node_role, system_nodes
from aiplatform.cluster.aws.storage import storage_classes, volumes_key
from aiplatform.cluster.kubeconfig import kubeconfig


@dataclass(frozen=True)
class Built:
    """The outputs of the component, and a provider for objects in the cluster."""

    outputs: ClusterReferenceArgs
    kubernetes: kubernetes.Provider


def build(parent: pulumi.ComponentResource, name: str, settings: ClusterSettings) -> Built:
    """Create the cluster as children of the component."""
    refuse_leftover_logs(settings.prefix, pulumi.InvokeOptions(parent=parent))
    context = EksContext(parent, name, settings, account_of(parent))
    types = settings.system_nodes.types("aws")
    check_offered(types, zones_that_offer(types, context.invoke_options))
    eks = control_plane(context)
    admins = grant_admins(context, eks.cluster)
    versions = addon_versions(context)
    role = node_role(context)
    ready = [*role.policies, *addons_before_nodes(context, eks.cluster, versions)]
    key = volumes_key(context)
    nodes = system_nodes(context, eks.cluster, role.role, key, ready)
    addons_after_nodes(context, eks.cluster, versions, nodes, key)
    config = _kubeconfig(eks, context.account)
    # The provider sends one request to the API, when it is configured, and treats a cluster that does not
    # answer as unreachable during the whole run. EKS reports ACTIVE some seconds before the endpoint always
    # answers, and access entries are eventually consistent (EKS user guide, "Grant IAM users access to
    # Kubernetes with EKS access entries"): nodes that joined prove the first, and took minutes, which are
    # enough for the second. Objects are deleted while permissions, API rules and nodes still exist.
    provider = kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=config,
        opts=ResourceOptions(parent=parent, depends_on=[*admins, *eks.api_rules, nodes]),
    )
    storage_classes(context, eks.cluster, key, provider)
    outputs: ClusterReferenceArgs = {
        "cloud": "aws",
        "name": eks.cluster.name,
        "version": settings.version,
        "arn": eks.cluster.arn,
        "endpoint": eks.cluster.endpoint,
        "certificate_authority": eks.certificate_authority,
        "service_cidr": settings.eks.service_cidr,
        "security_group_id": eks.security_group_id,
        "vpc_id": settings.network.vpc_id,
        # A pool's nodes need the role's policies and the VPC CNI, and are deleted before these.
        "node_role_arn": after(role.role.arn, *ready),
        "oidc_issuer": eks.oidc_issuer,
        "oidc_provider_arn": eks.oidc_provider.arn,
        "kubeconfig": config,
        "kms_key_arn": eks.key.arn,
        "volume_key_arn": key.arn,
    }
    return Built(outputs, provider)


def _kubeconfig(eks: ControlPlane, account: Account) -> Output[str]:
    return Output.all(eks.cluster.name, eks.cluster.endpoint, eks.certificate_authority).apply(
        lambda known: kubeconfig(str(known[0]), account.region, str(known[1]), str(known[2]))
    )

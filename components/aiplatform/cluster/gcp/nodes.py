"""Nodes on GKE: the service account that all of them run as, and the system node pool."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import compute, container, projects, serviceaccount

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.gcp.machine_types import boot_disk
from aiplatform._shared.kubernetes.names import Taint
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.addons.catalog import webhook_ports
from aiplatform.cluster.args import NODE_ACCOUNT
from aiplatform.cluster.gcp.context import GkeContext
from aiplatform.cluster.gcp.control_plane import first

SYSTEM_TAINT: Final = "components.gke.io/gke-managed-components"
"""The taint that GKE's own Deployments (DNS autoscaler, metrics-server, event exporter) tolerate, and by
default no other Pods: they run on a pool with it ("Isolate your workloads in dedicated node pools")."""
SYSTEM_LABELS: Final = {POOL: "system"}

NODE_ROLES: Final = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")
"""To write logs and metrics as a node of GKE does, and to pull images ("Use least privilege service
accounts")."""
_STREAMING: Final = "roles/serviceusage.serviceUsageConsumer"
"""An additional role for image streaming ("Use Image streaming to pull container images: Requirements")."""

_IAP: Final = "35.235.240.0/20"
"""The source range of connections through Identity-Aware Proxy."""
OPENED_BY_GKE: Final = (443, 10250)
"""The ports of nodes and Pods that GKE opens to the control plane."""


def node_account(context: GkeContext) -> tuple[serviceaccount.Account, list[projects.IAMMember]]:
    """Create the service account of every node, with its roles."""
    account = serviceaccount.Account(
        f"{context.name}-nodes",
        project=context.location.project,
        account_id=NODE_ACCOUNT.of(context.settings.prefix),
        display_name=f"Nodes of {context.cluster_name}",
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )
    streaming = [_STREAMING] if context.settings.gke.image_streaming else []
    roles = [
        projects.IAMMember(
            f"{context.name}-nodes-{role.rsplit('/', maxsplit=1)[-1].replace('.', '-')}",
            project=context.location.project,
            role=role,
            member=account.member,
            opts=context.options(context.apis["cloudresourcemanager"]),
        )
        for role in (*NODE_ROLES, *streaming)
    ]
    return account, roles


def system_nodes(
    context: GkeContext,
    cluster: container.Cluster,
    account: serviceaccount.Account,
    key: Input[str],
    ready: Sequence[Dependency],
) -> container.NodePool:
    """Create the system node pool. ready: what must exist before a node can start.

    Pulumi generates its name, so that a pool exists until its replacement does.
    """
    nodes, location = context.settings.system_nodes, context.location
    machine_type = nodes.types("gcp")[0]
    # In at most as many zones as it may have nodes, so that each has one before the autoscaler adds others.
    zones = Output.from_input(nodes.max).apply(lambda most: list(location.zones[: int(most)]))
    reference = ClusterReference(
        cloud="gcp",
        name=cluster.name,
        project=location.project,
        region=location.region,
        location=location.control_plane,
        node_service_account=account.email,
        disk_kms_key=key,
    )
    streaming = container.NodePoolNodeConfigGcfsConfigArgs(enabled=context.settings.gke.image_streaming)
    node = gke.Node(
        machine_type,
        nodes.disk_gib,
        boot_disk(machine_type),
        dict(SYSTEM_LABELS),
        [Taint(SYSTEM_TAINT, "NoSchedule", "true")],
        context.settings.tags,
        {"gcfs_config": streaming},
    )
    size = gke.Size.of(nodes.min, nodes.max, "BALANCED")
    return gke.node_pool(
        context.parent,
        f"{context.name}-system",
        reference,
        node,
        size,
        zones,
        image_version=nodes.image_version,
        depends_on=ready,
    )


def ssh_by_iap(context: GkeContext, account: serviceaccount.Account) -> None:
    """Allow SSH to nodes of this cluster from Identity-Aware Proxy, which authorizes users by IAM."""
    compute.Firewall(
        f"{context.name}-ssh-by-iap",
        project=context.settings.network.network_project,
        name=f"{context.settings.prefix}-ssh-by-iap",
        description=f"SSH to nodes of {context.cluster_name} through Identity-Aware Proxy",
        network=context.settings.network.vpc_id,
        direction="INGRESS",
        source_ranges=[_IAP],
        target_service_accounts=[account.email],
        allows=[compute.FirewallAllowArgs(protocol="tcp", ports=["22"])],
        log_config=compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
        opts=context.options(delete_before_replace=True),
    )


def calls_from_control_plane(context: GkeContext, account: serviceaccount.Account) -> compute.Firewall:
    """Allow the API server to call webhooks and added APIs of the catalog's add-ons. GKE opens two ports of
    nodes and Pods to the control plane (GKE documentation, "Automatically created firewall rules"); a network
    that denies everything else could make every webhook on another port fail. Objects in the cluster depend
    on the rule: webhooks are called until the last one is deleted."""
    subnet = first(context.settings.control_plane_subnets).apply(lambda path: path.rpartition("/")[2])
    source = compute.get_subnetwork_output(
        name=subnet,
        project=context.settings.network.network_project,
        region=context.location.region,
        opts=pulumi.InvokeOutputOptions(parent=context.parent),
    )
    ports = [str(port) for port in webhook_ports("gcp") if port not in OPENED_BY_GKE]
    return compute.Firewall(
        f"{context.name}-webhooks",
        project=context.settings.network.network_project,
        name=f"{context.settings.prefix}-webhooks",
        description=f"The control plane of {context.cluster_name} to webhooks of its add-ons",
        network=context.settings.network.vpc_id,
        direction="INGRESS",
        source_ranges=[source.ip_cidr_range],
        target_service_accounts=[account.email],
        allows=[compute.FirewallAllowArgs(protocol="tcp", ports=ports)],
        opts=context.options(delete_before_replace=True),
    )

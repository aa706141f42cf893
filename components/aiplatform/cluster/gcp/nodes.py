"""Nodes on GKE: the service account that all of them run as, and the system node pool."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, container, projects, serviceaccount

from aiplatform._shared.gcp import node_pools as gke
from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.gcp.machine_types import boot_disk
from aiplatform._shared.kubernetes.names import Taint
from aiplatform._shared.kubernetes.node_labels import POOL
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.cluster.args import NODE_ACCOUNT, ClusterSettings
from aiplatform.cluster.gcp.location import Place

SYSTEM_TAINT: Final = "components.gke.io/gke-managed-components"
"""What GKE's own Deployments (DNS autoscaler, metrics-server, event exporter) tolerate, and nothing else does
unasked: with it on a pool they stand there ("Isolate your workloads in dedicated node pools")."""
SYSTEM_LABELS: Final = {POOL: "system"}

NODE_ROLES: Final = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")
"""To write logs and metrics as a node of GKE does, and to pull images ("Use least privilege service
accounts")."""
_STREAMING: Final = "roles/serviceusage.serviceUsageConsumer"
"""An additional role for image streaming ("Use Image streaming to pull container images: Requirements")."""

_IAP: Final = "35.235.240.0/20"
"""Where connections through Identity-Aware Proxy come from."""


def node_account(
    parent: pulumi.ComponentResource, name: str, settings: ClusterSettings, place: Place, apis: Apis
) -> tuple[serviceaccount.Account, list[projects.IAMMember]]:
    """The service account of every node, and its roles."""
    account = serviceaccount.Account(
        f"{name}-nodes",
        project=place.project,
        account_id=NODE_ACCOUNT.of(settings.prefix),
        display_name=f"Nodes of {place.cluster}",
        opts=ResourceOptions(parent=parent, depends_on=[apis["iam"]], delete_before_replace=True),
    )
    roles = [
        projects.IAMMember(
            f"{name}-nodes-{role.rsplit('/', maxsplit=1)[-1].replace('.', '-')}",
            project=place.project,
            role=role,
            member=account.member,
            opts=ResourceOptions(parent=parent, depends_on=[apis["cloudresourcemanager"]]),
        )
        for role in (*NODE_ROLES, *([_STREAMING] if settings.gke.image_streaming else []))
    ]
    return account, roles


def system_nodes(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    place: Place,
    cluster: container.Cluster,
    account: serviceaccount.Account,
    key: Input[str],
    ready: Sequence[pulumi.Resource],
) -> container.NodePool:
    """The node pool. ready: what must stand before a node can start. Its name is Pulumi's to make up: what is
    replaced by another pool stands until that one is there."""
    nodes = settings.system_nodes
    machine_type = nodes.types("gcp")[0]
    # In no more zones than it may have nodes: the first ones, one in each, come before the autoscaler's.
    zones = list(place.zones[: nodes.max])
    here = ClusterReference(
        cloud="gcp",
        name=cluster.name,
        project=place.project,
        region=place.region,
        location=place.location,
        node_service_account=account.email,
        disk_kms_key=key,
    )
    node = gke.Node(
        machine_type,
        nodes.disk_gib,
        boot_disk(machine_type),
        SYSTEM_LABELS,
        [Taint(SYSTEM_TAINT, "NoSchedule", "true")],
        settings.tags,
        {"gcfs_config": container.NodePoolNodeConfigGcfsConfigArgs(enabled=settings.gke.image_streaming)},
    )
    return gke.node_pool(
        parent,
        f"{name}-system",
        here,
        node,
        gke.Size(nodes.min, nodes.max, "BALANCED"),
        Output.from_input(zones),
        depends_on=ready,
    )


def ssh_by_iap(
    parent: pulumi.ComponentResource,
    name: str,
    settings: ClusterSettings,
    place: Place,
    account: serviceaccount.Account,
) -> None:
    """Let those in whom Identity-Aware Proxy lets through, to nodes of this cluster."""
    compute.Firewall(
        f"{name}-ssh-by-iap",
        project=place.project,
        name=f"{settings.prefix}-ssh-by-iap",
        description=f"SSH to nodes of {place.cluster} through Identity-Aware Proxy",
        network=settings.network.vpc_id,
        direction="INGRESS",
        source_ranges=[_IAP],
        target_service_accounts=[account.email],
        allows=[compute.FirewallAllowArgs(protocol="tcp", ports=["22"])],
        log_config=compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )

"""Nodes on GKE: the service account that all of them run as, and the system node pool."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_gcp import compute, container, projects, serviceaccount

from aiplatform._node_labels import POOL
from aiplatform.cluster.args import NODE_ACCOUNT, ClusterSettings
from aiplatform.cluster.gke_place import Place

SYSTEM_TAINT: Final = "components.gke.io/gke-managed-components"
"""What GKE's own Deployments (DNS autoscaler, metrics-server, event exporter) tolerate, and nothing else does
unasked: with it on a pool they stand there ("Isolate your workloads in dedicated node pools")."""
SYSTEM_LABELS: Final = {POOL: "system"}
SCOPES: Final = ["https://www.googleapis.com/auth/cloud-platform"]
"""The old limits of a node's token are wide open: the service account's roles decide."""

NODE_ROLES: Final = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")
"""To write logs and metrics as a node of GKE does, and to pull images ("Use least privilege service
accounts")."""
_STREAMING: Final = "roles/serviceusage.serviceUsageConsumer"
"""What image streaming needs beside them ("Use Image streaming to pull container images: Requirements")."""

_HYPERDISK_ALONE: Final = ("c4", "c4a", "c4d", "h4d", "m4", "n4", "n4a", "n4d", "x4")
"""Machine families without persistent disks ("Machine families: storage options")."""
_IAP: Final = "35.235.240.0/20"
"""Where connections through Identity-Aware Proxy come from."""


def node_account(
    parent: pulumi.ComponentResource, name: str, settings: ClusterSettings, place: Place
) -> tuple[serviceaccount.Account, list[projects.IAMMember]]:
    """The service account of every node, and its roles."""
    account = serviceaccount.Account(
        f"{name}-nodes",
        project=place.project,
        account_id=NODE_ACCOUNT.of(settings.prefix),
        display_name=f"Nodes of {place.cluster}",
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )
    roles = [
        projects.IAMMember(
            f"{name}-nodes-{role.rsplit('/', maxsplit=1)[-1].replace('.', '-')}",
            project=place.project,
            role=role,
            member=account.member,
            opts=ResourceOptions(parent=parent),
        )
        for role in (*NODE_ROLES, *([_STREAMING] if settings.image_streaming else []))
    ]
    return account, roles


def boot_disk(machine_type: str) -> str:
    """The type of a machine's boot disk."""
    family = machine_type.split("-", maxsplit=1)[0]
    return "hyperdisk-balanced" if family in _HYPERDISK_ALONE else "pd-balanced"


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
    return container.NodePool(
        f"{name}-system",
        project=place.project,
        location=place.location,
        cluster=cluster.name,
        node_locations=zones,
        # In each zone.
        initial_node_count=max(1, nodes.min // len(zones)),
        autoscaling=container.NodePoolAutoscalingArgs(
            total_min_node_count=nodes.min, total_max_node_count=nodes.max, location_policy="BALANCED"
        ),
        management=container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
        upgrade_settings=container.NodePoolUpgradeSettingsArgs(
            strategy="SURGE", max_surge=1, max_unavailable=0
        ),
        node_config=container.NodePoolNodeConfigArgs(
            machine_type=machine_type,
            image_type="COS_CONTAINERD",
            disk_type=boot_disk(machine_type),
            disk_size_gb=nodes.disk_gib,
            boot_disk_kms_key=key,
            service_account=account.email,
            oauth_scopes=SCOPES,
            labels=SYSTEM_LABELS,
            taints=[
                container.NodePoolNodeConfigTaintArgs(key=SYSTEM_TAINT, value="true", effect="NO_SCHEDULE")
            ],
            resource_labels=settings.tags or None,
            shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            # Pods get tokens of their own by Workload Identity, never the node's.
            workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
                mode="GKE_METADATA"
            ),
            gvnic=container.NodePoolNodeConfigGvnicArgs(enabled=True),
            gcfs_config=container.NodePoolNodeConfigGcfsConfigArgs(enabled=settings.image_streaming),
            kubelet_config=container.NodePoolNodeConfigKubeletConfigArgs(
                insecure_kubelet_readonly_port_enabled="FALSE"
            ),
        ),
        # The autoscaler's, from the first moment on.
        opts=ResourceOptions(parent=parent, depends_on=list(ready), ignore_changes=["initialNodeCount"]),
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

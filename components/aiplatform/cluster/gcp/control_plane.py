"""The control plane on GKE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import container, serviceaccount
from pulumi_gcp.container import (
    ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs as _PersistentDisk,
)
from pulumi_gcp.container import (
    ClusterAddonsConfigGcpFilestoreCsiDriverConfigArgs as _Filestore,
)
from pulumi_gcp.container import (
    ClusterClusterAutoscalingAutoProvisioningDefaultsArgs as _Defaults,
)
from pulumi_gcp.container import (
    ClusterClusterAutoscalingAutoProvisioningDefaultsShieldedInstanceConfigArgs as _DefaultsShielded,
)
from pulumi_gcp.container import (
    ClusterMaintenancePolicyMaintenanceExclusionExclusionOptionsArgs as _Exclusion,
)
from pulumi_gcp.container import (
    ClusterMonitoringConfigAdvancedDatapathObservabilityConfigArgs as _Datapath,
)

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.keys import Key
from aiplatform._shared.gcp.node_pools import SCOPES
from aiplatform._shared.outputs import mapped
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.gcp.args import MaintenanceWindow
from aiplatform.cluster.gcp.context import GkeContext

_LOGS: Final = ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]
_WORKLOADS: Final = "WORKLOADS"
_METRICS: Final = [
    "SYSTEM_COMPONENTS",
    "APISERVER",
    "SCHEDULER",
    "CONTROLLER_MANAGER",
    "STORAGE",
    "HPA",
    "POD",
    "DAEMONSET",
    "DEPLOYMENT",
    "STATEFULSET",
    "CADVISOR",
    "KUBELET",
    # Of NVIDIA's GPUs.
    "DCGM",
]
_FIRST_WINDOW: Final = "2026-01-01"
"""The day from which a maintenance window recurs: any in the past."""


@dataclass(frozen=True)
class Keys:
    """The keys of the cluster's secrets and of disks. grants: the permissions of service agents to use
    them."""

    secrets: Key
    disks: Key
    grants: Sequence[Dependency]


def first(ids: Input[list[Input[str]]]) -> Output[str]:
    """Return the first of some ids, with all of their dependencies."""
    return Output.from_input(ids).apply(lambda known: str(known[0]))  # pyright: ignore[reportUnknownArgumentType,reportUnknownLambdaType]


def control_plane(
    context: GkeContext,
    keys: Keys,
    account: serviceaccount.Account,
    depends_on: Sequence[Dependency],
) -> container.Cluster:
    """Create the cluster, without a node pool."""
    settings, location = context.settings, context.location
    network = settings.network
    return container.Cluster(
        f"{context.name}-cluster",
        container.ClusterArgs(
            project=location.project,
            name=context.cluster_name,
            location=location.control_plane,
            # Of a zonal cluster the zones other than its control plane's.
            node_locations=[zone for zone in location.zones if zone != location.control_plane],
            min_master_version=settings.version,
            release_channel=container.ClusterReleaseChannelArgs(channel=settings.gke.release_channel.upper()),
            maintenance_policy=_maintenance(settings),
            resource_labels=settings.tags or None,
            deletion_protection=settings.deletion_protection,
            # GKE creates a cluster with a node pool whose options are limited; it is deleted at once.
            initial_node_count=1,
            remove_default_node_pool=True,
            node_config=_first_nodes(account, keys),
            # Network.
            networking_mode="VPC_NATIVE",
            network=network.vpc_id,
            subnetwork=first(network.private_subnet_ids),
            ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(
                cluster_secondary_range_name=network.pods_range,
                services_secondary_range_name=network.services_range,
                stack_type="IPV4",
            ),
            default_max_pods_per_node=network.pods_per_node,
            datapath_provider="ADVANCED_DATAPATH",
            enable_intranode_visibility=True,
            enable_l4_ilb_subsetting=True,
            enable_multi_networking=settings.gke.multi_networking or None,
            dns_config=container.ClusterDnsConfigArgs(
                cluster_dns="CLOUD_DNS", cluster_dns_scope="CLUSTER_SCOPE", cluster_dns_domain="cluster.local"
            ),
            gateway_api_config=container.ClusterGatewayApiConfigArgs(
                channel=mapped(
                    settings.gke.gateway_api,
                    lambda enabled: "CHANNEL_STANDARD" if enabled else "CHANNEL_DISABLED",
                )
            ),
            service_external_ips_config=container.ClusterServiceExternalIpsConfigArgs(enabled=False),
            # Access to the API.
            private_cluster_config=container.ClusterPrivateClusterConfigArgs(
                enable_private_nodes=True,
                enable_private_endpoint=settings.api_access.mode != "cidrs",
                private_endpoint_subnetwork=first(settings.control_plane_subnets),
            ),
            master_authorized_networks_config=_authorized(settings),
            control_plane_endpoints_config=container.ClusterControlPlaneEndpointsConfigArgs(
                dns_endpoint_config=container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                    allow_external_traffic=settings.api_access.mode == "dns"
                )
            ),
            # Identities.
            workload_identity_config=container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=location.workload_pool
            ),
            authenticator_groups_config=_groups(settings),
            master_auth=container.ClusterMasterAuthArgs(
                client_certificate_config=container.ClusterMasterAuthClientCertificateConfigArgs(
                    issue_client_certificate=False
                )
            ),
            enable_legacy_abac=False,
            anonymous_authentication_config=container.ClusterAnonymousAuthenticationConfigArgs(
                mode="LIMITED"
            ),
            rbac_binding_config=container.ClusterRbacBindingConfigArgs(
                enable_insecure_binding_system_authenticated=False,
                enable_insecure_binding_system_unauthenticated=False,
            ),
            # Security of the workloads.
            database_encryption=container.ClusterDatabaseEncryptionArgs(
                state="ENCRYPTED", key_name=keys.secrets.id
            ),
            enable_shielded_nodes=True,
            binary_authorization=container.ClusterBinaryAuthorizationArgs(
                evaluation_mode="PROJECT_SINGLETON_POLICY_ENFORCE"
                if settings.gke.binary_authorization
                else "DISABLED"
            ),
            security_posture_config=container.ClusterSecurityPostureConfigArgs(
                mode="BASIC" if settings.gke.security_posture else "DISABLED",
                # Google has ended it.
                vulnerability_mode="VULNERABILITY_DISABLED",
            ),
            # Logs, metrics and costs.
            logging_config=container.ClusterLoggingConfigArgs(
                enable_components=mapped(settings.gke.workload_logs, _logs)
            ),
            monitoring_config=_monitoring(settings),
            cost_management_config=container.ClusterCostManagementConfigArgs(
                enabled=settings.gke.cost_allocation
            ),
            # Features for nodes and Pods.
            addons_config=_addons(settings),
            node_pool_defaults=_pool_defaults(settings),
            cluster_autoscaling=_autoscaling(context, account, keys),
        ),
        opts=ResourceOptions(
            parent=context.parent,
            depends_on=list(depends_on),
            protect=settings.protect or None,
            # Two clusters cannot have the same name.
            delete_before_replace=True,
            # Of the first node pool, which is deleted; the provider reports another one's in its place.
            ignore_changes=["nodeConfig", "initialNodeCount"],
        ),
    )


def _first_nodes(account: serviceaccount.Account, keys: Keys) -> container.ClusterNodeConfigArgs:
    """Return the configuration of the node pool that is deleted at once. It is as restricted as the others,
    because an organization's policies apply to it, too."""
    return container.ClusterNodeConfigArgs(
        machine_type="e2-medium",
        disk_size_gb=30,
        disk_type="pd-balanced",
        boot_disk_kms_key=keys.disks.id,
        service_account=account.email,
        oauth_scopes=list(SCOPES),
        shielded_instance_config=container.ClusterNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
        workload_metadata_config=container.ClusterNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
    )


def _maintenance(settings: ClusterSettings) -> container.ClusterMaintenancePolicyArgs | None:
    window, exclusions = settings.gke.maintenance_window, settings.gke.maintenance_exclusions
    if window is None and not exclusions:
        return None
    # The provider requires a window with exclusions: one that is always open is equivalent to none.
    window = window or MaintenanceWindow(start="00:00", hours=24)
    day_after = "2026-01-02" if int(window.start[:2]) + window.hours >= 24 else _FIRST_WINDOW
    end = f"{(int(window.start[:2]) + window.hours) % 24:02}:{window.start[3:]}"
    return container.ClusterMaintenancePolicyArgs(
        recurring_window=container.ClusterMaintenancePolicyRecurringWindowArgs(
            start_time=f"{_FIRST_WINDOW}T{window.start}:00Z",
            end_time=f"{day_after}T{end}:00Z",
            recurrence=window.recurrence,
        ),
        maintenance_exclusions=[
            container.ClusterMaintenancePolicyMaintenanceExclusionArgs(
                exclusion_name=exclusion.name,
                start_time=exclusion.start,
                end_time=exclusion.end,
                exclusion_options=_Exclusion(
                    scope=exclusion.scope.upper(),
                    end_time_behavior=None if exclusion.end else "UNTIL_END_OF_SUPPORT",
                ),
            )
            for exclusion in exclusions
        ]
        or None,
    )


def _authorized(settings: ClusterSettings) -> container.ClusterMasterAuthorizedNetworksConfigArgs:
    """Return the addresses that reach the endpoints: those of the network, and those of the arguments."""
    ranges: list[tuple[str, Input[str]]] = [("network", settings.network.cidr)]
    ranges += [(f"listed-{index}", cidr) for index, cidr in enumerate(settings.api_access.cidrs)]
    return container.ClusterMasterAuthorizedNetworksConfigArgs(
        cidr_blocks=[
            container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(
                cidr_block=cidr, display_name=display
            )
            for display, cidr in ranges
        ],
        # Not addresses of Google Cloud, which the virtual machines of other customers have, too.
        gcp_public_cidrs_access_enabled=False,
        private_endpoint_enforcement_enabled=True,
    )


def _groups(settings: ClusterSettings) -> container.ClusterAuthenticatorGroupsConfigArgs | None:
    if settings.gke.google_groups is None:
        return None
    return container.ClusterAuthenticatorGroupsConfigArgs(security_group=settings.gke.google_groups)


def _logs(workloads: bool) -> list[str]:
    return [component for component in _LOGS if workloads or component != _WORKLOADS]


def _monitoring(settings: ClusterSettings) -> container.ClusterMonitoringConfigArgs:
    return container.ClusterMonitoringConfigArgs(
        enable_components=mapped(
            settings.gke.managed_prometheus, lambda enabled: _METRICS if enabled else _METRICS[:1]
        ),
        managed_prometheus=container.ClusterMonitoringConfigManagedPrometheusArgs(
            enabled=settings.gke.managed_prometheus
        ),
        advanced_datapath_observability_config=_Datapath(
            enable_metrics=settings.gke.managed_prometheus, enable_relay=False
        ),
    )


def _addons(settings: ClusterSettings) -> container.ClusterAddonsConfigArgs:
    return container.ClusterAddonsConfigArgs(
        # Of Gateways and of Ingresses.
        http_load_balancing=container.ClusterAddonsConfigHttpLoadBalancingArgs(disabled=False),
        horizontal_pod_autoscaling=container.ClusterAddonsConfigHorizontalPodAutoscalingArgs(disabled=False),
        gce_persistent_disk_csi_driver_config=_PersistentDisk(enabled=True),
        gcs_fuse_csi_driver_config=container.ClusterAddonsConfigGcsFuseCsiDriverConfigArgs(
            enabled=settings.gke.gcs_fuse
        ),
        gcp_filestore_csi_driver_config=_Filestore(enabled=settings.gke.filestore),
    )


def _pool_defaults(settings: ClusterSettings) -> container.ClusterNodePoolDefaultsArgs:
    return container.ClusterNodePoolDefaultsArgs(
        node_config_defaults=container.ClusterNodePoolDefaultsNodeConfigDefaultsArgs(
            gcfs_config=container.ClusterNodePoolDefaultsNodeConfigDefaultsGcfsConfigArgs(
                enabled=settings.gke.image_streaming
            ),
            insecure_kubelet_readonly_port_enabled="FALSE",
        )
    )


def _autoscaling(
    context: GkeContext, account: serviceaccount.Account, keys: Keys
) -> container.ClusterClusterAutoscalingArgs:
    """Return the autoscaler's settings, and those of nodes that GKE adds: as restricted as all others."""
    gke = context.settings.gke
    profile = gke.autoscaling_profile.upper()
    limits = gke.node_auto_provisioning
    if limits is None:
        return container.ClusterClusterAutoscalingArgs(enabled=False, autoscaling_profile=profile)
    most = {"cpu": limits.max_cpus, "memory": limits.max_memory_gib, **limits.accelerators}
    return container.ClusterClusterAutoscalingArgs(
        enabled=True,
        autoscaling_profile=profile,
        resource_limits=[
            container.ClusterClusterAutoscalingResourceLimitArgs(resource_type=resource, maximum=maximum)
            for resource, maximum in most.items()
        ],
        auto_provisioning_locations=list(context.location.zones),
        auto_provisioning_defaults=_Defaults(
            service_account=account.email,
            oauth_scopes=list(SCOPES),
            boot_disk_kms_key=keys.disks.id,
            # Left out, the provider sends pd-standard, which even fewer machines take.
            disk_type="pd-balanced",
            image_type="COS_CONTAINERD",
            management=container.ClusterClusterAutoscalingAutoProvisioningDefaultsManagementArgs(
                auto_repair=True, auto_upgrade=True
            ),
            upgrade_settings=container.ClusterClusterAutoscalingAutoProvisioningDefaultsUpgradeSettingsArgs(
                strategy="SURGE", max_surge=1, max_unavailable=0
            ),
            shielded_instance_config=_DefaultsShielded(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
        ),
    )

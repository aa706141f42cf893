"""What a cluster's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

_GKE_ONLY = "a feature of GKE"

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "version": CloudSupport(
        aws="EKS's minor version, which stays until it is raised or its support ends",
        gcp="the least minor version; the release channel upgrades it",
    ),
    "network": CloudSupport(aws="VPC and subnets", gcp="VPC, subnet and secondary ranges"),
    "api_access": CloudSupport(
        aws="private endpoint, and a public one for `cidrs`",
        gcp="private endpoint, and a public one for `cidrs` or the DNS endpoint for `dns`",
    ),
    "api_access.mode": CloudSupport(
        aws="`in_vpc` or `cidrs`; `dns` is refused",
        gcp="`in_vpc`, `cidrs` or `dns`, which IAM guards",
    ),
    "api_access.cidrs": CloudSupport(aws="public access CIDRs", gcp="authorized networks"),
    "api_access.security_group_id": CloudSupport(
        aws="security group whose members reach the private endpoint",
        gcp=refused("there are no security groups; with `in_vpc` all addresses of the network reach the API"),
    ),
    "log_retention_days": CloudSupport(
        aws="log group of the control plane; days that CloudWatch Logs knows",
        gcp="log bucket of the control plane; 1 to 3650 days",
    ),
    "deletion_protection": CloudSupport(
        aws="EKS refuses to delete the cluster", gcp="the provider refuses to delete the cluster"
    ),
    "protect": CloudSupport(aws="Pulumi's protect", gcp="Pulumi's protect"),
    "retain_data": CloudSupport(aws="logs and keys stay", gcp="logs and keys stay"),
    "system_nodes": CloudSupport(
        aws="managed node group, tainted CriticalAddonsOnly",
        gcp="node pool, tainted components.gke.io/gke-managed-components, which GKE's own Pods tolerate",
    ),
    "system_nodes.instance_types": CloudSupport(
        aws="instance types, tried in this order", gcp="one machine type (`e2-standard-4`)"
    ),
    "system_nodes.disk_gib": CloudSupport(
        aws="gp3 volume", gcp="balanced persistent disk, or Hyperdisk where the machine takes no other"
    ),
    "system_nodes.image_version": CloudSupport(
        aws="release of the node group's image, and its version of Kubernetes",
        gcp="version of the node pool, and no upgrade by GKE until the end of its support",
    ),
    "system_nodes.force_update": CloudSupport(
        aws="EKS evicts Pods that a PodDisruptionBudget protects when it replaces nodes",
        gcp=refused("GKE waits an hour for a PodDisruptionBudget, then evicts; leave it out"),
    ),
    "admins": CloudSupport(
        aws="IAM roles or users (arns), by access entries",
        gcp="`user:`, `serviceAccount:` or `group:` with an e-mail address, by a ClusterRoleBinding and "
        "roles/container.clusterViewer",
    ),
    "session_manager": CloudSupport(
        aws="AWS Systems Manager on the nodes",
        gcp="SSH to the nodes through Identity-Aware Proxy, which IAM guards",
    ),
    "eks": CloudSupport(aws="options of EKS, in the lines below", gcp="refused with what to use instead"),
    "eks.support": CloudSupport(
        aws="upgrade policy",
        gcp=refused("`gke.release_channel` decides how long a version stays"),
    ),
    "eks.creator_is_admin": CloudSupport(
        aws="access entry of the role that creates the cluster",
        gcp=refused(
            "the principal that runs the program needs roles/container.admin in the project, and so is an "
            "administrator; leave it out"
        ),
    ),
    "eks.addons": CloudSupport(
        aws="EKS add-ons",
        gcp=refused(
            "GKE installs DNS, network, storage and metrics with its version; `gke.gcs_fuse`, "
            "`gke.filestore` and others enable the optional ones"
        ),
    ),
    "eks.service_cidr": CloudSupport(
        aws="addresses of Kubernetes Services",
        gcp=refused("Services have a secondary range of the network's subnet, planned by `Network`"),
    ),
    "eks.prefix_delegation": CloudSupport(
        aws="VPC CNI with /28 prefixes",
        gcp=refused("a node always has a block of addresses; `gcp.pods_per_node` of the network is its size"),
    ),
    "eks.zonal_shift": CloudSupport(
        aws="ARC zonal shift",
        gcp=refused("load balancers avoid an impaired zone by their health checks; leave it out"),
    ),
    "gke": CloudSupport(aws="refused with what to use instead", gcp="options of GKE, in the lines below"),
    "gke.release_channel": CloudSupport(
        aws=refused("EKS has no channels; `eks.support` decides how long a version stays"),
        gcp="release channel",
    ),
    "gke.control_plane": CloudSupport(
        aws=refused("a control plane of EKS always runs in several zones; leave it out"),
        gcp="`regional`: location is the region; `zonal`: the network's first zone",
    ),
    "gke.maintenance_window": CloudSupport(
        aws=refused("EKS upgrades a cluster only when its program does; leave it out"),
        gcp="recurring maintenance window",
    ),
    "gke.maintenance_exclusions": CloudSupport(
        aws=refused("EKS upgrades a cluster only when its program does; leave it out"),
        gcp="maintenance exclusions",
    ),
    "gke.google_groups": CloudSupport(
        aws=refused("EKS knows IAM roles and users; list roles in `admins`"),
        gcp="Google Groups for RBAC",
    ),
    "gke.gateway_api": CloudSupport(
        aws=refused("EKS has no Gateway controller; install one"), gcp="Gateway API, standard channel"
    ),
    "gke.image_streaming": CloudSupport(
        aws=refused("EKS has none; leave it out"), gcp="image streaming (GCFS), the default of all pools"
    ),
    "gke.gcs_fuse": CloudSupport(
        aws=refused(f"mounting buckets is {_GKE_ONLY}; leave it out"),
        gcp="Cloud Storage FUSE CSI driver",
    ),
    "gke.filestore": CloudSupport(
        aws=refused(f"Filestore is {_GKE_ONLY}; leave it out"), gcp="Filestore CSI driver and its API"
    ),
    "gke.managed_prometheus": CloudSupport(
        aws=refused(f"a managed collector is {_GKE_ONLY}; leave it out"),
        gcp="Managed Service for Prometheus, with the metrics of nodes, workloads and cards",
    ),
    "gke.workload_logs": CloudSupport(
        aws=refused("EKS collects no logs of Pods; leave it out"),
        gcp="GKE's agent collects the logs of Pods, next to those of the system",
    ),
    "gke.cost_allocation": CloudSupport(
        aws=refused("EKS's split cost allocation belongs to the account's billing; leave it out"),
        gcp="GKE cost allocation",
    ),
    "gke.node_auto_provisioning": CloudSupport(
        aws=refused("EKS creates no node groups by itself; list pools"),
        gcp="node auto-provisioning within limits; its nodes are as restricted as those of pools",
    ),
    "gke.autoscaling_profile": CloudSupport(
        aws=refused("the arguments of `ClusterAutoscaler` decide how soon nodes are deleted"),
        gcp="profile of the cluster autoscaler",
    ),
    "gke.binary_authorization": CloudSupport(
        aws=refused("EKS runs images from anywhere; install an admission policy in the cluster"),
        gcp="Binary Authorization: images from elsewhere do not start",
    ),
    "gke.security_posture": CloudSupport(
        aws=refused(f"the dashboard is {_GKE_ONLY}; leave it out"), gcp="security posture dashboard, basic"
    ),
    "gke.shared_vpc_grants": CloudSupport(
        aws=refused("a subnet that AWS RAM shares needs no grant; leave it out"),
        gcp="roles/container.hostServiceAgentUser on the host project, roles/compute.networkUser on subnets",
    ),
    "gke.shared_vpc_firewall": CloudSupport(
        aws=refused("EKS has security groups; leave it out"), gcp="firewall rules in the host project"
    ),
    "gke.multi_networking": CloudSupport(
        aws=refused("EFA interfaces belong to the pool; leave it out"),
        gcp="multi-networking, which GPUDirect needs; fixed when the cluster is created",
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "volumes_kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "tags": CloudSupport(aws="tags", gcp="labels: lower case, at most 63 characters"),
}

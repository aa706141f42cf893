"""What a cluster's arguments become on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

_BUILT_IN = "GKE's alone"

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="first part of every name"),
    "version": CloudSupport(
        aws="EKS's minor version, which stays until it is raised or its support ends",
        gcp="the least minor version; the release channel goes on from there",
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
        aws="who reaches the private endpoint",
        gcp=refused("there are no security groups; with `in_vpc` the network's addresses get in"),
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
    "support": CloudSupport(
        aws="upgrade policy",
        gcp=refused("`release_channel` says how long a version stays; leave it out"),
    ),
    "release_channel": CloudSupport(
        aws=refused("EKS has no channels; `support` says how long a version stays"),
        gcp="release channel",
    ),
    "control_plane": CloudSupport(
        aws=refused("a control plane of EKS always stands in several zones; leave it out"),
        gcp="`regional`: location is the region; `zonal`: the network's first zone",
    ),
    "maintenance_window": CloudSupport(
        aws=refused("EKS upgrades a cluster when its program says; leave it out"),
        gcp="recurring maintenance window",
    ),
    "maintenance_exclusions": CloudSupport(
        aws=refused("EKS upgrades a cluster when its program says; leave it out"),
        gcp="maintenance exclusions",
    ),
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
    "system_nodes.force_update": CloudSupport(
        aws="EKS evicts what a PodDisruptionBudget keeps when it replaces nodes",
        gcp=refused("GKE waits an hour for a PodDisruptionBudget, then goes on; leave it out"),
    ),
    "admins": CloudSupport(
        aws="IAM roles or users (arns), by access entries",
        gcp="`user:`, `serviceAccount:` or `group:` with an e-mail address, by a ClusterRoleBinding and "
        "roles/container.clusterViewer",
    ),
    "google_groups": CloudSupport(
        aws=refused("EKS knows IAM roles and users; list roles in `admins`"),
        gcp="Google Groups for RBAC",
    ),
    "creator_is_admin": CloudSupport(
        aws="access entry of whoever applies first",
        gcp=refused(
            "whoever applies needs roles/container.admin in the project, which makes them administrator"
        ),
    ),
    "addons": CloudSupport(
        aws="EKS add-ons",
        gcp=refused(
            "GKE brings DNS, network, storage and metrics with its version; `gcs_fuse`, `filestore` and the "
            "like switch on what is optional"
        ),
    ),
    "service_cidr": CloudSupport(
        aws="addresses of Kubernetes Services",
        gcp=refused("Services have a secondary range of the network's subnet, planned by `Network`"),
    ),
    "prefix_delegation": CloudSupport(
        aws="VPC CNI with /28 prefixes",
        gcp=refused("a node always has a block of addresses; the network's `pods_per_node` says how large"),
    ),
    "zonal_shift": CloudSupport(
        aws="ARC zonal shift",
        gcp=refused("load balancers leave an impaired zone by their health checks; leave it out"),
    ),
    "session_manager": CloudSupport(
        aws="AWS Systems Manager on the nodes",
        gcp="SSH to the nodes through Identity-Aware Proxy, which IAM guards",
    ),
    "gateway_api": CloudSupport(
        aws=refused("EKS brings no Gateway controller; install one"), gcp="Gateway API, standard channel"
    ),
    "image_streaming": CloudSupport(
        aws=refused("EKS has none; leave it out"), gcp="image streaming (GCFS), the default of all pools"
    ),
    "gcs_fuse": CloudSupport(
        aws=refused(f"buckets as volumes by the cluster are {_BUILT_IN}; leave it out"),
        gcp="Cloud Storage FUSE CSI driver",
    ),
    "filestore": CloudSupport(
        aws=refused(f"Filestore is {_BUILT_IN}; leave it out"), gcp="Filestore CSI driver and its API"
    ),
    "managed_prometheus": CloudSupport(
        aws=refused(f"a collector in the cluster is {_BUILT_IN}; leave it out"),
        gcp="Managed Service for Prometheus, with the metrics of nodes, workloads and cards",
    ),
    "cost_allocation": CloudSupport(
        aws=refused("EKS's split cost allocation belongs to the account's billing; leave it out"),
        gcp="GKE cost allocation",
    ),
    "node_auto_provisioning": CloudSupport(
        aws=refused("EKS makes no node groups by itself; list pools"),
        gcp="node auto-provisioning within limits; its nodes are as closed as those of pools",
    ),
    "autoscaling_profile": CloudSupport(
        aws=refused("the Cluster Autoscaler's own arguments say how soon nodes go"),
        gcp="profile of the cluster autoscaler",
    ),
    "binary_authorization": CloudSupport(
        aws=refused("EKS runs images from anywhere; a policy in the cluster decides"),
        gcp="Binary Authorization: images from elsewhere do not start",
    ),
    "security_posture": CloudSupport(
        aws=refused(f"it is {_BUILT_IN}; leave it out"), gcp="security posture dashboard, basic"
    ),
    "multi_networking": CloudSupport(
        aws=refused("further network cards come with the pool (EFA); leave it out"),
        gcp="multi-networking, which GPUDirect needs; fixed when the cluster is created",
    ),
    "tags": CloudSupport(aws="tags", gcp="labels: lower case, at most 63 characters"),
}

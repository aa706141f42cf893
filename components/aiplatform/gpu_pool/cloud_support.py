"""What a GPU pool's arguments become on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(
        aws="first part of every name", gcp="first part of descriptions; names are generated"
    ),
    "name": CloudSupport(
        aws="name of the node groups, and the label `ai-platform/pool`",
        gcp="the label `ai-platform/pool`, and the ComputeClass that Pods select",
    ),
    "cluster": CloudSupport(
        aws="the EKS cluster", gcp="the GKE cluster, whose service account the nodes run as"
    ),
    "network": CloudSupport(aws="subnets of the zones", gcp="zones of the node pools"),
    "accelerator": CloudSupport(
        aws="instance types with the accelerator built in",
        gcp="machine types with the accelerator built in; `t4` is attached to N1 machines",
    ),
    "count": CloudSupport(aws="instance type", gcp="machine type, and `guestAccelerators.count`"),
    "capacity": CloudSupport(
        aws="a managed node group each, ordered by the autoscaler's priority expander",
        gcp="a node pool each, ordered by a ComputeClass",
    ),
    "capacity.type": CloudSupport(
        aws="`reserved`, `spot`, `on_demand`; the others are refused: EC2 has no queue for capacity",
        gcp="`reserved`, `spot`, `on_demand`, `flex_start`, `queued`, if the machine type is sold as such",
    ),
    "capacity.reservation_id": CloudSupport(
        aws="on-demand capacity reservation, targeted by the launch template",
        gcp="specific reservation, by its name",
    ),
    "capacity.capacity_block": CloudSupport(
        aws="Capacity Block for ML",
        gcp=refused("a calendar reservation is a reservation like others; use reservation_id with its name"),
    ),
    "capacity.zone": CloudSupport(aws="zone of the reservation, by its id", gcp="zone of the reservation"),
    "capacity.instance_types": CloudSupport(aws="instance types of the node group", gcp="one machine type"),
    "capacity.max_run_hours": CloudSupport(
        aws=refused("EC2 has no nodes with a time limit; leave it out"),
        gcp="`maxRunDuration` of flex-start nodes",
    ),
    "topology": CloudSupport(
        aws=refused("only TPU slices have one, and AWS has no TPU"),
        gcp="TPU slice: a separate node pool, with a placement policy for all its nodes",
    ),
    "min": CloudSupport(
        aws="minimum of the first node group that is no Capacity Block",
        gcp="total minimum of the first node pool that can have one; slices that are never removed",
    ),
    "max": CloudSupport(
        aws="maximum of each node group", gcp="total maximum of each node pool; slices of each entry"
    ),
    "zones": CloudSupport(aws="zone ids", gcp="zones by name"),
    "image": CloudSupport(
        aws="AL2023 or Bottlerocket",
        gcp=refused("GKE's nodes run Container-Optimized OS; leave it out"),
    ),
    "efa": CloudSupport(
        aws="Elastic Fabric Adapters",
        gcp=refused("Google Cloud's machines have GPUDirect instead; use gpudirect"),
    ),
    "gpudirect": CloudSupport(
        aws=refused("AWS's machines have Elastic Fabric Adapters instead; use efa"),
        gcp="VPCs and Kubernetes Networks for GPUDirect-TCPX, TCPXO or RDMA",
    ),
    "gpudirect_installers": CloudSupport(
        aws=refused("EFA's software is part of the machine image; leave it out"),
        gcp="DaemonSets in kube-system on the pool's nodes, privileged",
    ),
    "mirrors": CloudSupport(
        aws=refused("a pool runs no containers there; leave it out"),
        gcp="images of GPUDirect's installers and sidecars",
    ),
    "gpudirect_cidr": CloudSupport(
        aws=refused("EFA uses no addresses; leave it out"),
        gcp="ranges of the GPUDirect subnets",
    ),
    "placement_group": CloudSupport(aws="cluster placement group", gcp="compact placement policy"),
    "sharing": CloudSupport(
        aws="NVIDIA's device plugin, or Bottlerocket's settings",
        gcp="`gpuSharingConfig` or `gpuPartitionSize`: GKE's own device plugin",
    ),
    "sharing.strategy": CloudSupport(
        aws="`time_slicing`; `mig` on Bottlerocket", gcp="time-sharing; multi-instance GPU"
    ),
    "sharing.replicas": CloudSupport(
        aws="2 to 64 containers per accelerator", gcp="2 to 48 containers per accelerator"
    ),
    "sharing.profile": CloudSupport(
        aws="every profile of the accelerator", gcp="the partition sizes that GKE supports"
    ),
    "device_allocation": CloudSupport(
        aws="`plugin`, or `dra` on AL2023",
        gcp=refused("for claims GKE neither installs drivers nor adds nodes by itself; leave it out"),
    ),
    "disk_gib": CloudSupport(
        aws="gp3 volume, encrypted", gcp="balanced persistent disk, or Hyperdisk where the machine needs it"
    ),
    "instance_store": CloudSupport(
        aws="RAID0 of the instance store",
        gcp="local SSDs as ephemeral storage; `none` leaves built-in ones as raw block devices",
    ),
    "max_pods": CloudSupport(
        aws="a flag of the kubelet, in the user data",
        gcp=refused("the network's `pods_per_node` applies to all nodes; leave it out"),
    ),
    "image_version": CloudSupport(
        aws="release of the node groups' image, and with AL2023 their version of Kubernetes",
        gcp="version of the node pools, and no upgrade by GKE until the end of its support",
    ),
    "force_update": CloudSupport(
        aws="EKS evicts Pods that a PodDisruptionBudget protects when it replaces nodes",
        gcp=refused("GKE waits an hour for a PodDisruptionBudget, then continues; leave it out"),
    ),
    "labels": CloudSupport(aws="node labels", gcp="node labels"),
    "node_provisioning": CloudSupport(
        aws="managed node groups with the Cluster Autoscaler, or Karpenter",
        gcp=refused("GKE scales node pools itself and orders them by a ComputeClass; leave it out"),
    ),
    "taints": CloudSupport(
        aws="node taints in addition to `nvidia.com/gpu=true`",
        gcp="node taints in addition to GKE's `nvidia.com/gpu=present` or `google.com/tpu=present`",
    ),
    "tags": CloudSupport(aws="tags", gcp="labels: lower case, at most 63 characters"),
}

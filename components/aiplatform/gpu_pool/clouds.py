"""What a GPU pool's arguments become on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "prefix": On(aws="first part of every name", gcp="first part of descriptions; names are generated"),
    "name": On(
        aws="name of the node groups, and the label `ai-platform/pool`",
        gcp="the label `ai-platform/pool`, and the ComputeClass that Pods ask for",
    ),
    "cluster": On(aws="the EKS cluster", gcp="the GKE cluster, whose service account the nodes run as"),
    "network": On(aws="subnets of the zones", gcp="zones of the node pools"),
    "accelerator": On(
        aws="instance types with the card built in",
        gcp="machine types with the card built in; `t4` is attached to N1 machines",
    ),
    "count": On(aws="instance type", gcp="machine type, and `guestAccelerators.count`"),
    "capacity": On(
        aws="a managed node group each, ordered by the autoscaler's priority expander",
        gcp="a node pool each, ordered by a ComputeClass",
    ),
    "capacity.type": On(
        aws="`reserved`, `spot`, `on_demand`; the others are refused: EC2 has no queue for capacity",
        gcp="`reserved`, `spot`, `on_demand`, `flex_start`, `queued`, as far as the machine type is sold so",
    ),
    "capacity.reservation_id": On(
        aws="on-demand capacity reservation, targeted by the launch template",
        gcp="specific reservation, by its name",
    ),
    "capacity.capacity_block": On(
        aws="Capacity Block for ML",
        gcp=refused("a calendar reservation is a reservation like others: give its name in reservation_id"),
    ),
    "capacity.zone": On(aws="zone of the reservation, by its id", gcp="zone of the reservation"),
    "capacity.instance_types": On(aws="instance types of the node group", gcp="one machine type"),
    "capacity.max_run_hours": On(
        aws=refused("EC2 has no nodes with a time limit; end them by the workload"),
        gcp="`maxRunDuration` of flex-start nodes",
    ),
    "topology": On(
        aws=refused("only TPU slices have one, and AWS has no TPU"),
        gcp="TPU slice: a node pool each, made of all its nodes by a placement policy",
    ),
    "min": On(
        aws="minimum of the first node group that is no Capacity Block",
        gcp="total minimum of the first node pool that can keep nodes; slices that stay",
    ),
    "max": On(aws="maximum of each node group", gcp="total maximum of each node pool; slices of each entry"),
    "zones": On(aws="zone ids", gcp="zones by name"),
    "image": On(
        aws="AL2023 or Bottlerocket",
        gcp=refused("GKE's nodes run Container-Optimized OS; leave it out"),
    ),
    "efa": On(
        aws="Elastic Fabric Adapters",
        gcp=refused("Google's machines have GPUDirect in its place: say gpudirect"),
    ),
    "gpudirect": On(
        aws=refused("AWS's machines have Elastic Fabric Adapters in its place: say efa"),
        gcp="VPCs and Kubernetes Networks for GPUDirect-TCPX, TCPXO or RDMA",
    ),
    "gpudirect_cidr": On(
        aws=refused("EFA takes no addresses; leave it out"),
        gcp="ranges of the GPUDirect subnets",
    ),
    "placement_group": On(aws="cluster placement group", gcp="compact placement policy"),
    "sharing": On(
        aws="NVIDIA's device plugin, or Bottlerocket's settings",
        gcp="`gpuSharingConfig` or `gpuPartitionSize`: GKE's own device plugin",
    ),
    "sharing.strategy": On(
        aws="`time_slicing`; `mig` on Bottlerocket", gcp="time-sharing; multi-instance GPU"
    ),
    "sharing.replicas": On(aws="2 to 64 containers a card", gcp="2 to 48 containers a card"),
    "sharing.profile": On(aws="every profile of the card", gcp="the partition sizes that GKE makes"),
    "disk_gib": On(
        aws="gp3 volume, encrypted", gcp="balanced persistent disk, or Hyperdisk where the machine needs it"
    ),
    "instance_store": On(
        aws="RAID0 of the instance store",
        gcp="local SSDs as ephemeral storage; `none` leaves built-in ones as raw block devices",
    ),
    "max_pods": On(
        aws="a flag of the kubelet, in the user data",
        gcp=refused("the network's `pods_per_node` says it for all nodes; leave it out"),
    ),
    "force_update": On(
        aws="EKS evicts what a PodDisruptionBudget keeps when it replaces nodes",
        gcp=refused("GKE waits an hour for a PodDisruptionBudget, then goes on; leave it out"),
    ),
    "labels": On(aws="node labels", gcp="node labels"),
    "taints": On(
        aws="node taints beside `nvidia.com/gpu=true`",
        gcp="node taints beside GKE's `nvidia.com/gpu=present` or `google.com/tpu=present`",
    ),
    "tags": On(aws="tags", gcp="labels: lower case, at most 63 characters"),
}

"""What a node pool's arguments become on each cloud."""

from typing import Final

from aiplatform._clouds import Meanings, On, refused

MEANINGS: Final[Meanings] = {
    "prefix": On(aws="first part of every name", gcp="not needed: names are generated"),
    "name": On(
        aws="name of the node groups, and the label `ai-platform/pool`",
        gcp="the label `ai-platform/pool`; with two entries of `capacity` also the ComputeClass",
    ),
    "cluster": On(aws="the EKS cluster", gcp="the GKE cluster, whose service account the nodes run as"),
    "network": On(aws="subnets of the zones", gcp="zones of the node pools"),
    "instance_types": On(
        aws="instance types of the node groups, in order of preference",
        gcp="one machine type: a node pool has no more",
    ),
    "capacity": On(
        aws="a managed node group each, ordered by the autoscaler's priority expander",
        gcp="a node pool each; two are ordered by a ComputeClass, which Pods must then select",
    ),
    "min": On(aws="minimum of the first node group", gcp="total minimum of the first node pool"),
    "max": On(aws="maximum of each node group", gcp="total maximum of each node pool"),
    "zones": On(aws="zone ids", gcp="zones by name"),
    "image": On(
        aws="AL2023 or Bottlerocket", gcp=refused("GKE's nodes run Container-Optimized OS; leave it out")
    ),
    "disk_gib": On(
        aws="gp3 volume, encrypted", gcp="balanced persistent disk, or Hyperdisk where the machine needs it"
    ),
    "force_update": On(
        aws="EKS evicts what a PodDisruptionBudget keeps when it replaces nodes",
        gcp=refused("GKE waits an hour for a PodDisruptionBudget, then goes on; leave it out"),
    ),
    "labels": On(aws="node labels", gcp="node labels"),
    "taints": On(aws="node taints", gcp="node taints"),
    "tags": On(aws="tags", gcp="labels: lower case, at most 63 characters"),
}

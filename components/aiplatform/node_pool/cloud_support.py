"""What a node pool's arguments become on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(aws="first part of every name", gcp="not needed: names are generated"),
    "name": CloudSupport(
        aws="name of the node groups, and the label `ai-platform/pool`",
        gcp="the label `ai-platform/pool`; with two entries of `capacity` also the ComputeClass",
    ),
    "cluster": CloudSupport(
        aws="the EKS cluster", gcp="the GKE cluster, whose service account the nodes run as"
    ),
    "network": CloudSupport(aws="subnets of the zones", gcp="zones of the node pools"),
    "instance_types": CloudSupport(
        aws="instance types of the node groups, in order of preference",
        gcp="one machine type, as a node pool has only one",
    ),
    "capacity": CloudSupport(
        aws="a managed node group each, ordered by the autoscaler's priority expander",
        gcp="a node pool each; two are ordered by a ComputeClass, which Pods must then select",
    ),
    "min": CloudSupport(aws="minimum of the first node group", gcp="total minimum of the first node pool"),
    "max": CloudSupport(aws="maximum of each node group", gcp="total maximum of each node pool"),
    "zones": CloudSupport(aws="zone ids", gcp="zones by name"),
    "image": CloudSupport(
        aws="AL2023 or Bottlerocket", gcp=refused("GKE's nodes run Container-Optimized OS; leave it out")
    ),
    "disk_gib": CloudSupport(
        aws="gp3 volume, encrypted", gcp="balanced persistent disk, or Hyperdisk where the machine needs it"
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
    "taints": CloudSupport(aws="node taints", gcp="node taints"),
    "tags": CloudSupport(aws="tags", gcp="labels: lower case, at most 63 characters"),
}

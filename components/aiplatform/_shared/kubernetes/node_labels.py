"""Labels by which pools, device plugins and the autoscaler find each other's nodes."""

from typing import Final

POOL: Final = "ai-platform/pool"
"""The pool's name."""
CAPACITY: Final = "ai-platform/capacity"
"""`reserved`, `spot`, `on_demand`, `flex_start` or `queued`."""
ACCELERATOR: Final = "ai-platform/accelerator"
"""The catalog's key (`h100`)."""
ACCELERATOR_COUNT: Final = "ai-platform/accelerator-count"
"""Cards of the node."""
DEVICE_PLUGIN: Final = "ai-platform/device-plugin"
"""`nvidia` or `neuron`: the node needs that device plugin; `image`: its machine image brings it."""
COMPUTE_CLASS: Final = "cloud.google.com/compute-class"
"""On GKE, label and taint of nodes, and node selector of Pods: the ComputeClass that orders them ("About
custom ComputeClasses")."""
TPU_ACCELERATOR: Final = "cloud.google.com/gke-tpu-accelerator"
"""GKE's own, on nodes with TPUs: which kind (`tpu-v6e-slice`)."""
TPU_TOPOLOGY: Final = "cloud.google.com/gke-tpu-topology"
"""GKE's own, on nodes with TPUs: the shape of the slice that they are part of (`4x4`)."""
TPU_SLICE: Final = (TPU_ACCELERATOR, TPU_TOPOLOGY)
"""What a Pod selects that asks for TPUs ("Deploy TPU workloads in GKE Standard")."""
EFA: Final = "ai-platform/efa"
"""`true`: the node has Elastic Fabric Adapters."""
NVIDIA_CONFIG: Final = "nvidia.com/device-plugin.config"
"""NVIDIA's device plugin takes the entry of this name from its ConfigMap."""
MIG_CONFIG: Final = "nvidia.com/mig.config"
"""How the cards are cut: `all-<profile>`, NVIDIA's own name for one profile on all cards."""
GPU_PRESENT: Final = "nvidia.com/gpu.present"
"""`true`: what NVIDIA's monitoring selects nodes by."""
AUTOSCALER_GPU: Final = "k8s.amazonaws.com/accelerator"
"""The Cluster Autoscaler takes a node with this label and without `nvidia.com/gpu` as one whose device plugin
is still starting, and does not add another for the same Pod (its notes on AWS, "GPU instances")."""

MOST_REPLICAS: Final = 64
"""Containers that share a time-sliced card: the device plugin has a configuration for each up to it."""


def time_slicing_config(replicas: int) -> str:
    """The name of the device plugin's configuration for so many containers a card."""
    return f"time-slicing-{replicas}"

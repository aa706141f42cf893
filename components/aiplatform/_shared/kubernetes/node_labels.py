"""Node labels that pools set, and that device plugins, the autoscaler and Pods select."""

from typing import Final

POOL: Final = "ai-platform/pool"
"""The pool's name."""
CAPACITY: Final = "ai-platform/capacity"
"""The type of capacity: `reserved`, `spot`, `on_demand`, `flex_start` or `queued`."""
ACCELERATOR: Final = "ai-platform/accelerator"
"""The accelerator's name in the catalog (`h100`)."""
ACCELERATOR_COUNT: Final = "ai-platform/accelerator-count"
"""The number of accelerators of the node."""
DEVICE_PLUGIN: Final = "ai-platform/device-plugin"
"""`nvidia` or `neuron`: the node needs that device plugin; `image`: its machine image includes it."""
MOVING: Final = "ai-platform/moving"
"""A taint of nodes that stay until their Pods end, while other nodes take their place."""
COMPUTE_CLASS: Final = "cloud.google.com/compute-class"
"""On GKE, label and taint of nodes, and node selector of Pods: the ComputeClass that orders them ("About
custom ComputeClasses")."""
TPU_ACCELERATOR: Final = "cloud.google.com/gke-tpu-accelerator"
"""GKE's label on nodes with TPUs: the accelerator (`tpu-v6e-slice`)."""
TPU_TOPOLOGY: Final = "cloud.google.com/gke-tpu-topology"
"""GKE's label on nodes with TPUs: the topology of their slice (`4x4`)."""
TPU_SLICE: Final = (TPU_ACCELERATOR, TPU_TOPOLOGY)
"""The labels that a Pod with TPUs selects ("Deploy TPU workloads in GKE Standard")."""
EFA: Final = "ai-platform/efa"
"""`true`: the node has Elastic Fabric Adapters."""
NVIDIA_CONFIG: Final = "nvidia.com/device-plugin.config"
"""The name of the configuration of NVIDIA's device plugin, an entry of its ConfigMap."""
MIG_CONFIG: Final = "nvidia.com/mig.config"
"""How the GPUs are partitioned: `all-<profile>`, NVIDIA's name for one profile on all GPUs."""
GPU_PRESENT: Final = "nvidia.com/gpu.present"
"""`true`: NVIDIA's monitoring selects nodes by it."""
AUTOSCALER_GPU: Final = "k8s.amazonaws.com/accelerator"
"""The Cluster Autoscaler treats a node with this label and without `nvidia.com/gpu` as one whose device
plugin is still starting, and does not add another node for the same Pod (its notes on AWS, "GPU
instances")."""

MOST_REPLICAS: Final = 64
"""Maximum of containers that share a time-sliced GPU; the device plugin has a configuration for each
number."""


def time_slicing_config(replicas: int) -> str:
    """Return the name of the device plugin's configuration for a number of containers per GPU."""
    return f"time-slicing-{replicas}"

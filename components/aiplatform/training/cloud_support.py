"""Training on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws="Kubeflow Trainer on the system nodes of EKS, and runtimes for its pools",
        gcp="Kubeflow Trainer on the system nodes of GKE, and runtimes for its pools",
    ),
    "runtimes.interconnect": CloudSupport(
        aws="EFA, with huge pages; Pods meet the level `restricted`",
        gcp="GPUDirect (TCPX, TCPXO, RDMA), in namespaces of the level `privileged`",
    ),
}
"""What each argument becomes."""

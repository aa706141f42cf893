"""The queues on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(aws="objects of Kueue in the cluster", gcp="objects of Kueue in the cluster"),
    "node_pools": CloudSupport(
        aws="a ResourceFlavor each, by the label `ai-platform/pool`",
        gcp="a ResourceFlavor each, by the pool's label or its ComputeClass",
    ),
    "gpu_pools": CloudSupport(
        aws="a ResourceFlavor each, by the label `ai-platform/pool`",
        gcp="a ResourceFlavor each, by the pool's ComputeClass; with queued capacity alone also an "
        "AdmissionCheck and a ProvisioningRequestConfig",
    ),
    "topologies": CloudSupport(
        aws="`network`: the labels `topology.k8s.aws/network-node-layer-1` to `-3`, then the host",
        gcp="`network`: the labels `cloud.google.com/gce-topology-block`, `-subblock` and `-host`, then the "
        "node",
    ),
}

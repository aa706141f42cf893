"""ComputeClass on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "": CloudSupport(
        aws=refused(
            "on EKS the Cluster Autoscaler orders node groups by their priority; use a ClusterAutoscaler"
        ),
        gcp="a ComputeClass of GKE's API, cloud.google.com/v1",
    ),
}

"""A Cluster Autoscaler, played as the one that the program installed would act, or as GKE's own does.

`Autoscaler` does nothing unless a Deployment whose image is a `cluster-autoscaler` has a Ready Pod, the RBAC
that the real one needs, and a role in the cloud. Its own flags, tags and ConfigMaps decide.
`BuiltInAutoscaler` needs no installation: node pools say themselves whether and how far they grow.
"""

from twin.kubernetes.autoscaler.gke_autoscaler import BuiltInAutoscaler
from twin.kubernetes.autoscaler.loop import Autoscaler

__all__ = ["Autoscaler", "BuiltInAutoscaler"]

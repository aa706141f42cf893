"""A Cluster Autoscaler, played as the one that the program installed would act.

It does nothing unless a Deployment whose image is a `cluster-autoscaler` has a Ready Pod, the RBAC that the
real one needs, and a role in the cloud. Its own flags, tags and ConfigMaps decide.
"""

from twin.kubernetes.autoscaler.loop import Autoscaler

__all__ = ["Autoscaler"]

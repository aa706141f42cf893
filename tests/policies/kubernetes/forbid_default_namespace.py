"""Spec of kubernetes.forbid_default_namespace."""

from __future__ import annotations

from policies.framework import Resource
from tests.policies.custom_workloads import GOOD_WORKLOADS, custom, ray_cluster
from tests.policies.spec import UNKNOWN, Fails, Spec, resource
from tests.policies.workloads import cron_job, deployment, lone_pod, pod


def _bare(**provider: str) -> Resource:
    return resource("kubernetes:core/v1:Pod", {"spec": pod()}, provider=provider)


SPEC = Spec(
    passes={
        "a namespace declared explicitly": deployment(),
        "the provider's": _bare(namespace="serving"),
        **GOOD_WORKLOADS,
        "an object without Pods": custom("karpenter.sh/v1:NodePool", {"limits": {"cpu": 8}}, "default"),
    },
    fails={
        "a RayCluster": Fails(ray_cluster(namespace="default"), "metadata.namespace"),
        "it is said": Fails(cron_job(namespace="default"), "metadata.namespace", "'default'"),
        "defaults": Fails(_bare(), "metadata.namespace", "nothing is limited"),
    },
    unknown={"the namespace": lone_pod(namespace=UNKNOWN)},
)

"""Spec of cost.limit_node_pools."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.custom_workloads import custom
from tests.policies.spec import UNKNOWN, Fails, Spec


def _pool(**spec: Any) -> Resource:
    return custom("karpenter.sh/v1:NodePool", {"template": {"spec": {"requirements": []}}, **spec})


SPEC = Spec(
    passes={
        "a limit": _pool(limits={"cpu": "1000", "nvidia.com/gpu": 16}),
        "a limit whose number is unknown": _pool(limits={"cpu": UNKNOWN}),
        "a fixed number of nodes": _pool(replicas=3),
        "a claim of one node": custom("karpenter.sh/v1:NodeClaim", {"requirements": []}),
    },
    fails={
        "no limit": Fails(_pool(), "spec.limits", "without a bound"),
        "an empty limit": Fails(_pool(limits={}), "spec.limits"),
        "a pool of an earlier API": Fails(
            custom("karpenter.sh/v1beta1:NodePool", {"template": {}}), "spec.limits"
        ),
        "a Provisioner": Fails(
            custom("karpenter.sh/v1alpha5:Provisioner", {"requirements": []}), "spec.limits.resources"
        ),
    },
    unknown={"the limits": _pool(limits=UNKNOWN)},
)

"""Spec of gpu.taint_gpu_nodes."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _group(machine: Any, taints: Any = None) -> Resource:
    props = {"instanceTypes": [machine], **({} if taints is None else {"taints": taints})}
    return resource("aws:eks/nodeGroup:NodeGroup", props)


def _taint(effect: Any) -> dict[str, Any]:
    return {"key": "nvidia.com/gpu", "value": "true", "effect": effect}


SPEC = Spec(
    passes={
        "a taint": _group("g6.xlarge", [_taint("NO_SCHEDULE")]),
        "no accelerator": _group("m7i.large"),
    },
    fails={
        "no taint": Fails(_group("g6.xlarge"), "taints", "'g6.xlarge', which has l4"),
        "a taint that is a wish": Fails(_group("trn2.48xlarge", [_taint("PREFER_NO_SCHEDULE")]), "taints"),
    },
    unknown={
        "taints": _group("g6.xlarge", UNKNOWN),
        "an effect": _group("g6.xlarge", [_taint(UNKNOWN)]),
        "an instance type": _group(UNKNOWN),
    },
)

"""Spec of gpu.approve_accelerators."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource


def _group(*types: Any) -> Resource:
    return resource("aws:eks/nodeGroup:NodeGroup", {"clusterName": "a", "instanceTypes": list(types)})


def _pool(machine: Any, *cards: str) -> Resource:
    config = {"machineType": machine, "guestAccelerators": [{"type": card, "count": 1} for card in cards]}
    return resource("gcp:container/nodePool:NodePool", {"cluster": "a", "nodeConfig": config})


SPEC = Spec(
    passes={
        "H100": _group("p5.48xlarge"),
        "no accelerator": _group("m7i.xlarge", "m6i.xlarge"),
        "H100 on Google Cloud": _pool("a3-highgpu-8g", "nvidia-h100-80gb"),
        "a TPU": _pool("ct6e-standard-4t"),
        "no accelerator on Google Cloud": _pool("n2-standard-4"),
    },
    fails={
        "V100, which is old": Fails(
            _group("g5.xlarge", "p3.2xlarge"), "instanceTypes[1]", "requests 'p3.2xlarge', a v100"
        ),
        "a machine by itself": Fails(
            resource("aws:ec2/instance:Instance", {"instanceType": "p3.16xlarge"}), "instanceType"
        ),
        "a notebook": Fails(
            resource("aws:sagemaker/notebookInstance:NotebookInstance", {"instanceType": "ml.p3.2xlarge"}),
            "instanceType",
            "v100",
        ),
        "a card of Google's": Fails(
            _pool("n1-standard-4", "nvidia-tesla-p100"), "nodeConfig.guestAccelerators[0].type", "p100"
        ),
        "a machine type and its card, once": Fails(
            _pool("a4x-highgpu-4g", "gb200"), "nodeConfig.machineType", "gb200"
        ),
    },
    unknown={
        "types": resource("aws:eks/nodeGroup:NodeGroup", {"instanceTypes": UNKNOWN}),
        "one of the types": _group(UNKNOWN),
        "a machine type": _pool(UNKNOWN),
    },
    configured={
        "dev has small ones": Case(_group("p5.48xlarge"), {"approved": ["t4", "l4"]}, fails=True),
        "an old one for a while": Case(_group("p3.2xlarge"), {"approved": ["v100"]}, fails=False),
    },
)

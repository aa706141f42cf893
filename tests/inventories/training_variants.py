"""The variants of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.training import Training
from tests.components.aiplatform.training.example import arguments, fabric_pool
from tests.components.recording import Recording, record


def _training(cloud: str, **more: Any) -> Callable[[], Recording]:
    def recording() -> Recording:
        pools = more.get("gpu_pools")
        # The outputs of a pool are recorded, too: before.
        args: Any = arguments(cloud, **{**more, **({"gpu_pools": pools()} if pools else {})})
        return record(lambda: Training("training", args))

    return recording


TRAINING: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _training("aws"),
    "aws-full": _training(
        "aws",
        gpu_pools=lambda: [fabric_pool("efa")],
        topologies={"efa": "network"},
        service_account="workloads",
        replicas=2,
        ray=True,
        mirrors={"ghcr.io": "registry.acme.com/ghcr"},
        runtimes={
            "torch-cpu": {"pool": "general", "processes_per_node": 2},
            "downloads": {
                "pool": "efa",
                "nodes": 2,
                "interconnect": "required",
                "initializers": {
                    "kinds": ["dataset", "model"],
                    "storage_gib": 500,
                    "storage_class": "shared",
                    "shared": True,
                },
            },
        },
    ),
    "gcp": _training("gcp"),
    "gcp-fabric": _training(
        "gcp", gpu_pools=lambda: [fabric_pool("tcpxo"), fabric_pool("rdma")], node_pools=[]
    ),
}

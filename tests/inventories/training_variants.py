"""The variants of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.training import Training
from tests.components.aiplatform.training.example import arguments, fabric_pool
from tests.components.recording import Recording, record


def _training(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: record(lambda: Training("training", _arguments(cloud, more)))


def _arguments(cloud: str, more: Mapping[str, Any]) -> Any:
    pools = more.get("gpu_pools")
    return arguments(cloud, **{**more, **({"gpu_pools": pools()} if pools else {})})


TRAINING: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _training("aws"),
    "aws-full": _training(
        "aws",
        # Recorded late: the outputs of a pool are those of a component.
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

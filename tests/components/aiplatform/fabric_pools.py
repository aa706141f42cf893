"""The outputs of pools with each kind of network between accelerators."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK, machine_types
from tests.components.recording import Recording, record

POOLS: Final = {
    "efa": ("aws", "h100"),
    "tcpx": ("gcp", "h100"),
    "tcpxo": ("gcp", "h100-mega"),
    "rdma": ("gcp", "h200"),
}
"""Kind of network -> cloud and accelerator; a node has eight."""


def recorded(kind: str, **more: Any) -> Recording:
    """Return what a pool named `gpu` registers."""
    cloud, accelerator = POOLS[kind]
    cluster, network = (CLUSTER, NETWORK) if cloud == "aws" else (GOOGLE_CLUSTER, GOOGLE_NETWORK)
    capacity = [{"type": "spot" if kind == "rdma" else "on_demand"}]
    arguments: Any = {
        **{"prefix": "acme-dev", "name": "gpu", "cluster": cluster, "network": network},
        **{"accelerator": accelerator, "count": 8, "capacity": capacity, **more},
    }
    return record(lambda: GpuPool("gpu", arguments), answers=machine_types())


def known_outputs(kind: str) -> dict[str, Any]:
    """Return the outputs that a stack has as plain values, of those that tests and placements read."""
    values = outputs(kind)
    keys = ("name", "resource", "resources_per_node", "node_selector", "taints", "efa_interfaces")
    return {key: values[key] for key in (*keys, "network_interfaces", "pod_requirements")}


@cache
def outputs(kind: str) -> dict[str, Any]:
    """Return the outputs of a pool named `gpu`."""
    return dict(recorded(kind).result.outputs)

"""What `aiplatform image build` needs to know of an environment, as JSON: its repositories, and its pools.

    python -m stacks.image_target aws-dev

Read from the environment's file alone, without the engine and without a cloud.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any

from aiplatform._shared.kubernetes.pools import architecture
from aiplatform.accelerators import CARDS
from stacks import devices, program_answers, repositories
from stacks.settings import GpuPool, Settings
from stacks.settings.generated import stated


@dataclass(frozen=True)
class Nodes:
    """What an image for the nodes of a pool has to fit."""

    kind: str = "cpu"
    """`cpu`, `nvidia`, `tpu` or `neuron`."""
    network: str = "none"
    """The network between accelerators: `none`, `efa`, `tcpx`, `tcpxo` or `rdma`."""
    architecture: str = "x86_64"
    """`x86_64` or `arm64`."""


def pools_of(settings: Settings) -> dict[str, Nodes]:
    """Return pool -> its nodes."""
    cpu = {
        name: Nodes(architecture=architecture(stated(pool)["instance_types"][0]))
        for name, pool in settings.node_pools.items()
    }
    return {**cpu, **{name: _nodes(settings, pool) for name, pool in settings.gpu_pools.items()}}


def _nodes(settings: Settings, pool: GpuPool) -> Nodes:
    kind = CARDS[pool.accelerator].vendor
    if settings.environment.cloud == "gcp":
        return Nodes(kind, devices.gpudirect(pool) or "none")
    return Nodes(kind, "efa" if devices.has_efa(pool) else "none")


def document_of(settings: Settings) -> dict[str, Any]:
    """Return what is known of an environment."""
    return {
        "cloud": settings.environment.cloud,
        "profile": settings.environment.profile,
        "repositories": repositories.urls(settings),
        "pools": {name: asdict(nodes) for name, nodes in pools_of(settings).items()},
    }


def main(arguments: list[str]) -> int:
    """Print what is known of one environment. Return the exit code."""
    return program_answers.answer(arguments, document_of)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

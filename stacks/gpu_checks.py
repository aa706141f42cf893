"""The tests of a pool's accelerators as manifests, for the command line.

    python -m stacks.gpu_checks < request.json

The request has the outputs of the pool (`pool`) and the fields of `Request`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from aiplatform import gpu_tests


@dataclass(frozen=True)
class Request:
    """nodes: name -> machine type, of the nodes to test. node_engine: whether they have an engine of DCGM,
    next to which no other one may run."""

    pool: dict[str, Any]
    name: str
    namespace: str
    queue: str
    level: int
    dcgm_image: str
    image: str
    nodes: dict[str, str]
    node_engine: bool


def manifests(request: Request) -> dict[str, Any]:
    """Return `diagnostics`: node -> Job, of nodes without an engine of DCGM; `bandwidth`: manifests, empty
    without a network between the accelerators of several nodes; `expected`: bandwidth, or None."""
    jobs = {
        node: gpu_tests.diagnostics(
            request.pool,
            f"{request.name}-diag-{number}",
            request.namespace,
            node,
            image=request.dcgm_image,
            level=request.level,
            queue=request.queue,
        )
        for number, node in enumerate(request.nodes)
        if not request.node_engine
    }
    types = set(request.nodes.values())
    expected = gpu_tests.EXPECTED.get(next(iter(types))) if len(types) == 1 else None
    bandwidth: list[dict[str, Any]] = []
    if request.pool.get("pod_requirements") and request.pool.get("resource") == "nvidia.com/gpu":
        name = f"{request.name}-bandwidth"
        bandwidth = [
            gpu_tests.script(name, request.namespace),
            gpu_tests.bandwidth_test(
                request.pool,
                name,
                request.namespace,
                image=request.image,
                expected=expected,
                queue=request.queue,
            ),
        ]
    return {
        "diagnostics": jobs,
        "bandwidth": bandwidth,
        "expected": asdict(expected) if expected else None,
        "tolerated": gpu_tests.TOLERATED,
    }


def main() -> int:
    """Print the manifests of the request on stdin."""
    request = Request(**json.load(sys.stdin))
    sys.stdout.write(f"{json.dumps(manifests(request))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

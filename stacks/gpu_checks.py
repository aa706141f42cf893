"""The tests of a pool's accelerators as manifests, for the command line.

    python -m stacks.gpu_checks < request.json

The request has the outputs of the pool (`pool`) and the fields of `Request`. Images that it leaves out are
those of the environment, at their mirrors.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from aiplatform import gpu_tests
from aiplatform._shared.images import mirrored
from stacks import images
from stacks.loading import ENVIRONMENTS, SettingsError, load_file
from stacks.settings import Settings
from stacks.settings.generated import stated

MINUTES: Final[Mapping[int, float]] = {1: 0, 2: 5, 3: 30}
"""Level -> minutes of matrix products, where PyTorch tests the GPUs: about as long as dcgmi diag takes."""
_KEPT: Final = 3600
"""Seconds after which the cluster deletes a test that nothing else deleted."""

_LABEL_VALUE: Final = "gpu-check"
"""Of labels that the guardrails require."""


@dataclass(frozen=True)
class Request:
    """nodes: name -> machine type, of the nodes to test. node_engine: whether they have an engine of DCGM,
    next to which no other one may run. priority: a WorkloadPriorityClass, or None. image: of the bandwidth
    test, and of tests with PyTorch; it and dcgm_image are empty for those of the environment. labels: those
    that the environment's guardrails require of every workload."""

    environment: str
    pool: dict[str, Any]
    name: str
    namespace: str
    queue: str
    priority: str | None
    level: int
    dcgm_image: str
    image: str
    nodes: dict[str, str]
    node_engine: bool
    labels: dict[str, str] = field(default_factory=dict[str, str])


def manifests(request: Request) -> dict[str, Any]:
    """Return `diagnostics`: node -> manifests, its Job last; `bandwidth`: manifests, empty without a network
    between the accelerators of several nodes; `expected`: bandwidth, or None."""
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
                priority=request.priority,
            ),
        ]
    diagnostics = {node: _diagnostics(request, node, number) for number, node in enumerate(request.nodes)}
    for test in (*diagnostics.values(), bandwidth):
        for manifest in test[-1:]:
            manifest["spec"]["ttlSecondsAfterFinished"] = _KEPT
            manifest["metadata"]["labels"] = {**request.labels, **manifest["metadata"]["labels"]}
    return {
        "diagnostics": diagnostics,
        "bandwidth": bandwidth,
        "expected": asdict(expected) if expected else None,
        "tolerated": gpu_tests.TOLERATED,
    }


def of_environment(request: Request, settings: Settings) -> Request:
    """Return the request with what an environment states: images that it leaves out, and labels."""
    requirements: dict[str, Any] = request.pool.get("pod_requirements") or {}
    known = images.of_gpu_tests(settings.environment.cloud)
    names = {"image": images.pytorch_of(requirements.get("fabric")), "dcgm_image": images.DCGM}
    chosen = {
        key: mirrored(known[name], settings.images.mirrors)
        for key, name in names.items()
        if not getattr(request, key) and name in known
    }
    topic: dict[str, Any] = stated(settings.guardrails) if settings.guardrails is not None else {}
    labels = dict.fromkeys(topic.get("required_labels", []), _LABEL_VALUE)
    return replace(request, **chosen, labels=labels)


def _diagnostics(request: Request, node: str, number: int) -> list[dict[str, Any]]:
    name = f"{request.name}-diag-{number}"
    if not request.node_engine:
        return [
            gpu_tests.diagnostics(
                request.pool,
                name,
                request.namespace,
                node,
                image=request.dcgm_image,
                level=request.level,
                queue=request.queue,
                priority=request.priority,
            )
        ]
    return [
        gpu_tests.script(name, request.namespace, "hardware"),
        gpu_tests.hardware_test(
            request.pool,
            name,
            request.namespace,
            node,
            image=request.image,
            minutes=MINUTES[request.level],
            program=name,
            queue=request.queue,
            priority=request.priority,
        ),
    ]


def main() -> int:
    """Print the manifests of the request on stdin."""
    request = Request(**json.load(sys.stdin))
    try:
        settings = load_file(ENVIRONMENTS / f"Pulumi.{request.environment}.yaml")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    request = of_environment(request, settings)
    sys.stdout.write(f"{json.dumps(manifests(request))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

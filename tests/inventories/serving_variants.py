"""The variants of serving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.serving import Serving
from tests.components.aiplatform.serving.example import DIGEST, arguments
from tests.components.aiplatform.serving.test_llm_logs import logging
from tests.components.recording import Recording, record


def _serving(cloud: str, **more: Any) -> Callable[[], Recording]:
    args: Any = arguments(cloud, **more)
    return lambda: record(lambda: Serving("serving", args))


def _logged(cloud: str) -> Callable[[], Recording]:
    args: Any = logging(cloud)
    return lambda: record(lambda: Serving("serving", args))


SERVING: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _serving("aws"),
    "aws-full": _serving(
        "aws",
        client_namespaces=["envoy-gateway-system", "monitoring"],
        mirrors={"docker.io": "registry.acme.com/hub"},
        require_digests=True,
        runtimes={
            "sklearn": {"pool": "general", "engine": "sklearn", "image": f"registry.acme.com/a:1{DIGEST}"},
            "small": {"pool": "inference", "engine": "vllm", "tensor_parallel": 1, "storage_gib": 100},
        },
        teams={
            "search": {
                "namespace": "search-prod",
                "labels": {"cost-center": "1234"},
                "services": {
                    "chat": {
                        "model": "assistant",
                        "runtime": "small",
                        "min_replicas": 2,
                        "max_replicas": 8,
                        "adapters": {"support": {"model": "support-lora", "version": 3}},
                    }
                },
            },
            "pricing": {},
        },
        tags={"team": "platform"},
    ),
    "aws-language-logs": _logged("aws"),
    "gcp": _serving("gcp"),
    "gcp-language-logs": _logged("gcp"),
}

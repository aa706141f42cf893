"""The variants of the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.gateway import Gateway
from tests.components.aiplatform.gateway.example import ROUTE, arguments
from tests.components.recording import Recording, record


def _gateway(cloud: str, **more: Any) -> Callable[[], Recording]:
    args: Any = arguments(cloud, **more)
    return lambda: record(lambda: Gateway("gateway", args))


GATEWAY: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _gateway("aws"),
    "aws-bare": _gateway("aws", authentication=None, teams=None, routes=None, replicas=1),
    "aws-public": _gateway(
        "aws",
        public=True,
        issuer="letsencrypt",
        source_ranges=["203.0.113.0/24"],
        rate_limit={"requests": 100, "unit": "second"},
        timeout_seconds=0,
        idle_seconds=900,
        replicas=3,
        controller_replicas=2,
        mirrors={"docker.io": "registry.acme.com/hub"},
        routes={"classifier": {**ROUTE, "callers": ["search"], "mirror": {"service": "next", "percent": 20}}},
    ),
    "gcp": _gateway("gcp"),
    "gcp-gke": _gateway("gcp", gateway_class="gke", authentication=None),
    "gcp-public": _gateway("gcp", public=True, issuer="letsencrypt"),
}

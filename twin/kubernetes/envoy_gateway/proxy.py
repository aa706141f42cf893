"""The objects of an Envoy: as Envoy Gateway creates them for a Gateway, in its own namespace.

There is one Envoy, whatever the number of replicas: its Pod has a host name, by which its address is known
before it exists, so that its configuration can name it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.processes import addresses

GROUP: Final = "gateway.envoyproxy.io"
MANAGED: Final = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
}
IMAGE: Final = "docker.io/envoyproxy/envoy:distroless-v1.39.0"
"""Where no EnvoyProxy states another one."""
BOOTSTRAP: Final = "twin.ai-platform/bootstrap"
"""The annotation of a Pod with a digest of its bootstrap configuration: another one needs another process."""
METRICS_PORT: Final = 19001
READY_PORT: Final = 19003
_SHIFT: Final = 10_000


@dataclass(frozen=True)
class Proxy:
    """The Envoy of a Gateway. namespace: of Envoy Gateway. settings: the spec of its EnvoyProxy."""

    gateway: Object
    namespace: str
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name, of at most 63 characters."""
        metadata = self.gateway["metadata"]
        full = f"{metadata['namespace']}-{metadata['name']}"
        return f"envoy-{full[:48]}-{hashlib.sha256(full.encode()).hexdigest()[:8]}"

    @property
    def address(self) -> str:
        """Where its Pod listens on this machine."""
        in_api = addresses.of_host(self.name, self.name, self.namespace)
        return addresses.loopback(in_api) or "127.0.0.1"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its Pods."""
        metadata = self.gateway["metadata"]
        return {
            **MANAGED,
            f"{GROUP}/owning-gateway-namespace": metadata["namespace"],
            f"{GROUP}/owning-gateway-name": metadata["name"],
        }

    @property
    def _kubernetes(self) -> Mapping[str, Any]:
        return (self.settings.get("provider") or {}).get("kubernetes") or {}

    def objects(self, bootstrap: Path, digest: str) -> Iterable[tuple[str, Object]]:
        """Yield collection and object. bootstrap: the file, and a digest of it."""
        metadata = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        service = self._kubernetes.get("envoyService") or {}
        copied = ("type", "loadBalancerClass", "externalTrafficPolicy", "loadBalancerSourceRanges")
        spec = {key: service[key] for key in copied if key in service}
        spec.setdefault("type", "LoadBalancer")
        if spec["type"] == "ClusterIP":
            spec.pop("externalTrafficPolicy", None)
        yield (
            "services",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {**metadata, "annotations": dict(service.get("annotations") or {})},
                "spec": {
                    **spec,
                    "selector": self.labels,
                    "ports": [
                        {"name": f"port-{port}", "port": port, "targetPort": shifted(port), "protocol": "TCP"}
                        for port in self._ports
                    ],
                },
            },
        )
        yield (
            "deployments",
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": metadata,
                "spec": {
                    "replicas": 1,
                    # A second Envoy could not listen on the same address.
                    "strategy": {"type": "Recreate"},
                    "selector": {"matchLabels": self.labels},
                    "template": {
                        "metadata": {"labels": self.labels, "annotations": {BOOTSTRAP: digest}},
                        "spec": self._pod(bootstrap),
                    },
                },
            },
        )

    @property
    def _ports(self) -> list[int]:
        return sorted({listener["port"] for listener in self.gateway["spec"]["listeners"]})

    def _pod(self, bootstrap: Path) -> Object:
        deployment = self._kubernetes.get("envoyDeployment") or {}
        container, pod = deployment.get("container") or {}, deployment.get("pod") or {}
        copied = ("priorityClassName", "tolerations", "nodeSelector", "affinity", "topologySpreadConstraints")
        return {
            **{key: pod[key] for key in copied if pod.get(key)},
            "hostname": self.name,
            "subdomain": self.name,
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "envoy",
                    "image": container.get("image") or IMAGE,
                    "args": [
                        "-c",
                        str(bootstrap),
                        "--log-level",
                        "warn",
                        "--concurrency",
                        "1",
                        "--disable-hot-restart",
                        "--drain-time-s",
                        "1",
                    ],
                    "ports": [
                        *({"name": f"port-{port}", "containerPort": shifted(port)} for port in self._ports),
                        {"name": "metrics", "containerPort": METRICS_PORT},
                        {"name": "readiness", "containerPort": READY_PORT},
                    ],
                    "readinessProbe": {
                        "httpGet": {"path": "/ready", "port": READY_PORT},
                        "periodSeconds": 5,
                    },
                    "resources": container.get("resources") or {},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }
            ],
        }


def shifted(port: int) -> int:
    """Return the port of the container for that of a listener."""
    return port + _SHIFT if port < 1024 else port

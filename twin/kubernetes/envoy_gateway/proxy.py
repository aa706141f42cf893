"""The objects of an Envoy: as Envoy Gateway creates them for a Gateway, in its own namespace.

There is one Envoy, whatever the number of replicas: its Pod has a host name, by which its address is known
before it exists, so that its configuration can name it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

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
METRICS_PORT: Final = 19001
_OBJECTS: Final = Path(__file__).with_name("envoy.yaml")
_SERVICE: Final = ("type", "loadBalancerClass", "externalTrafficPolicy", "loadBalancerSourceRanges")
_POD: Final = ("priorityClassName", "tolerations", "nodeSelector", "affinity", "topologySpreadConstraints")
"""What an EnvoyProxy states of a Service and of a Pod."""
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
        words = {
            "NAME": self.name,
            "NAMESPACE": self.namespace,
            "BOOTSTRAP": bootstrap,
            "METRICS_PORT": METRICS_PORT,
            "DIGEST": f'"{digest}"',
        }
        service, deployment = yaml.safe_load_all(Template(_OBJECTS.read_text("utf-8")).substitute(words))
        for item in (service, deployment):
            item["metadata"]["labels"] = self.labels
        self._complete_service(service)
        self._complete_pod(deployment["spec"]["template"]["spec"])
        deployment["spec"]["selector"] = {"matchLabels": self.labels}
        deployment["spec"]["template"]["metadata"]["labels"] = self.labels
        return [("services", service), ("deployments", deployment)]

    def _complete_service(self, item: Object) -> None:
        stated = self._kubernetes.get("envoyService") or {}
        spec = {key: stated[key] for key in _SERVICE if key in stated}
        spec.setdefault("type", "LoadBalancer")
        if spec["type"] == "ClusterIP":
            spec.pop("externalTrafficPolicy", None)
        ports = [
            {"name": f"port-{port}", "port": port, "targetPort": shifted(port), "protocol": "TCP"}
            for port in self._ports
        ]
        item["metadata"]["annotations"] = dict(stated.get("annotations") or {})
        item["spec"] = {**spec, "selector": self.labels, "ports": ports}

    def _complete_pod(self, spec: Object) -> None:
        stated = self._kubernetes.get("envoyDeployment") or {}
        of_pod, of_container = stated.get("pod") or {}, stated.get("container") or {}
        spec |= {key: of_pod[key] for key in _POD if of_pod.get(key)}
        [container] = spec["containers"]
        container["image"] = of_container.get("image") or IMAGE
        container["resources"] = of_container.get("resources") or {}
        listeners = [{"name": f"port-{port}", "containerPort": shifted(port)} for port in self._ports]
        container["ports"] = [*listeners, *container["ports"]]

    @property
    def _ports(self) -> list[int]:
        return sorted({listener["port"] for listener in self.gateway["spec"]["listeners"]})


def shifted(port: int) -> int:
    """Return the port of the container for that of a listener."""
    return port + _SHIFT if port < 1024 else port

"""The Services of the cluster, as addresses of this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.envoy_gateway.configuration import Endpoint
from twin.kubernetes.processes import network

_SUFFIXES: Final = ("", ".svc", ".svc.cluster.local")


class Services:
    """Services by ClusterIP and by name, with the Pods that run here."""

    def __init__(self, services: Iterable[Object], slices: Iterable[Object]) -> None:
        self._slices = network.by_service(slices)
        self._services: dict[str, Object] = {}
        for service in services:
            name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
            for suffix in _SUFFIXES:
                self._services[f"{name}.{namespace}{suffix}"] = service
            if service["spec"].get("clusterIP") not in (None, "", "None"):
                self._services[service["spec"]["clusterIP"]] = service

    def endpoints(self, host: str, port: int) -> list[Endpoint] | None:
        """Return where the Pods of a Service listen that are ready and run here; None for another address."""
        service = self._services.get(host)
        if service is None:
            return None
        entries: list[dict[str, Any]] = service["spec"].get("ports") or []
        of_port = next((entry for entry in entries if entry["port"] == port), None)
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        return network.targets_of(self._slices.get(key, []), of_port) if of_port else []

"""What answers at an address of the cluster: a process that the twin runs, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from twin.kubernetes.api import Kube, Object
from twin.kubernetes.egress import NoBackendError, Serve

NO_CONTAINERS: Final = "the twin runs no containers"

Lookup = Callable[[str, int], Serve | None]
"""Answers host and port with what serves a connection to it, or None."""


class Backends:
    """By Service and port, or by host and port, what serves a connection; the rest is refused by name.

    The twin runs no container, so a Service has a backend only where a process stands in for its Pods.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._hosts: dict[tuple[str, int], Serve] = {}
        self._services: dict[tuple[str, str, int], Serve] = {}
        self._lookups: list[Lookup] = []

    def register_host(self, host: str, port: int, serve: Serve) -> None:
        """Serve connections to a host name."""
        self._hosts[host, port] = serve

    def register_service(self, namespace: str, name: str, port: int, serve: Serve) -> None:
        """Serve connections to a Service's port, whatever its ClusterIP is."""
        self._services[namespace, name, port] = serve

    def register_lookup(self, lookup: Lookup) -> None:
        """Serve connections to addresses that a look-up knows."""
        self._lookups.append(lookup)

    def resolve(self, host: str, port: int) -> Serve:
        """What serves a connection. Raises NoBackendError, Unreachable and ApiError."""
        known = self._hosts.get((host, port))
        if known is not None:
            return known
        for lookup in self._lookups:
            serve = lookup(host, port)
            if serve is not None:
                return serve
        if not _is_address(host):
            raise NoBackendError(f"{host}:{port} is outside the twin, whose API server calls nothing there")
        service = self._first("/api/v1/services", f"spec.clusterIP={host}")
        if service is not None:
            namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
            serve = self._services.get((namespace, name, port))
            if serve is not None:
                return serve
            raise NoBackendError(f"Service {namespace}/{name} port {port} has no backend: {NO_CONTAINERS}")
        pod = self._first("/api/v1/pods", f"status.podIP={host}")
        if pod is not None:
            name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            raise NoBackendError(f"Pod {name} port {port} has no backend: {NO_CONTAINERS}")
        for node in self._kube.get("/api/v1/nodes")["items"]:
            if any(each["address"] == host for each in (node.get("status") or {}).get("addresses") or []):
                raise NoBackendError(f"Node {node['metadata']['name']} has no kubelet in the twin")
        raise NoBackendError(f"{host}:{port} is no Service, Pod or Node of the twin's cluster")

    def _first(self, where: str, selector: str) -> Object | None:
        items = self._kube.get(where, fieldSelector=selector)["items"]
        return items[0] if items else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

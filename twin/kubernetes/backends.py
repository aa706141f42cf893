"""What answers at an address of the cluster: a process that the twin runs, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.egress import NoBackendError, Serve, to_loopback
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import ready, selects
from twin.kubernetes.processes import addresses

NO_CONTAINERS: Final = "the twin runs no containers"

Lookup = Callable[[str, int], Serve | None]
"""Answers host and port with what serves a connection to it, or None."""
Absent = Callable[[str, str], Serve]
"""By namespace and name, what serves a Service in the place of a program that does not run here."""


class Backends:
    """By Service, Pod, or host, each with a port, what serves a connection; the rest is refused by name.

    The twin runs no container. A Pod has a backend where a process of this machine is its container, and a
    Service where one of its Pods has. absent: what serves a Service whose Pods are simulated; without it such
    a Service has no backend. mirror: with Services and Pods, by which `is_absent`, which is asked often,
    needs no request.
    """

    def __init__(self, kube: Kube, absent: Absent | None = None, mirror: Mirror | None = None) -> None:
        self._kube = kube
        self._mirror = mirror
        self._absent = absent
        self._hosts: dict[tuple[str, int], Serve] = {}
        self._services: dict[tuple[str, str, int], Serve] = {}
        self._lookups: list[Lookup] = []
        self._pods: dict[tuple[str, str], Mapping[int, int]] = {}

    def register_host(self, host: str, port: int, serve: Serve) -> None:
        """Serve connections to a host name."""
        self._hosts[host, port] = serve

    def register_service(self, namespace: str, name: str, port: int, serve: Serve) -> None:
        """Serve connections to a Service's port, whatever its ClusterIP is."""
        self._services[namespace, name, port] = serve

    def register_lookup(self, lookup: Lookup) -> None:
        """Serve connections to addresses that a look-up knows."""
        self._lookups.append(lookup)

    def register_pod(self, namespace: str, name: str, ports: Mapping[int, int]) -> None:
        """Serve connections to a Pod. ports: port of the container -> port of loopback."""
        self._pods[namespace, name] = dict(ports)

    def unregister_pod(self, namespace: str, name: str) -> None:
        """Serve no connections to a Pod any more."""
        self._pods.pop((namespace, name), None)

    def is_absent(self, namespace: str, name: str) -> bool:
        """Return whether a Service is served in the place of a program that does not run here."""
        if self._mirror is None:
            service = self._kube.find(path("v1", "services", namespace, name))
            return service is not None and self._is_absent(self._pods_of(service))
        service = self._mirror.one("services", name, namespace)
        pods = self._mirror.all("pods") if service else []
        return self._is_absent([pod for pod in pods if service and selects(service, pod)])

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
            return self._of_service(service, port)
        pod = self._first("/api/v1/pods", f"status.podIP={host}")
        if pod is not None:
            return self._of_pod(pod, port)
        for node in self._kube.get("/api/v1/nodes")["items"]:
            if any(
                address["address"] == host for address in (node.get("status") or {}).get("addresses") or []
            ):
                raise NoBackendError(f"Node {node['metadata']['name']} has no kubelet in the twin")
        raise NoBackendError(f"{host}:{port} is no Service, Pod or Node of the twin's cluster")

    def _of_service(self, service: Object, port: int) -> Serve:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        serve = self._services.get((namespace, name, port))
        if serve is not None:
            return serve
        pods = self._pods_of(service)
        for pod in pods:
            here = self._ports(pod).get(_target(service, pod, port))
            if here is not None:
                return to_loopback(here)
        if self._absent is not None and self._is_absent(pods):
            return self._absent(namespace, name)
        raise NoBackendError(f"Service {namespace}/{name} port {port} has no backend: {NO_CONTAINERS}")

    def _of_pod(self, pod: Object, port: int) -> Serve:
        here = self._ports(pod).get(port)
        if here is not None:
            return to_loopback(here)
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        raise NoBackendError(f"Pod {name} port {port} has no backend: {NO_CONTAINERS}")

    def _ports(self, pod: Object) -> Mapping[int, int]:
        return self._pods.get((pod["metadata"]["namespace"], pod["metadata"]["name"]), {})

    def _pods_of(self, service: Object) -> list[Object]:
        selector = (service.get("spec") or {}).get("selector") or {}
        if not selector:
            return []
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        where = path("v1", "pods", service["metadata"]["namespace"])
        return self._kube.get(where, labelSelector=labels)["items"]

    def _is_absent(self, pods: list[Object]) -> bool:
        """Whether Pods that are ready are there, and none of them is a process of this machine."""
        return not any(self._runs_here(pod) for pod in pods) and any(ready(pod) for pod in pods)

    def _runs_here(self, pod: Object) -> bool:
        address = (pod.get("status") or {}).get("podIP") or ""
        name = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        return name in self._pods or addresses.loopback(address) is not None

    def _first(self, where: str, selector: str) -> Object | None:
        items = self._kube.get(where, fieldSelector=selector)["items"]
        return items[0] if items else None


def _target(service: Object, pod: Object, port: int) -> int:
    """The port of a Pod behind a Service's port; 0 where there is none."""
    ports: list[dict[str, Any]] = service["spec"].get("ports") or []
    entry = next((entry for entry in ports if entry["port"] == port), None)
    if entry is None:
        return 0
    target = entry.get("targetPort", port)
    if isinstance(target, int):
        return target
    of_pod = (entry for container in pod["spec"]["containers"] for entry in container.get("ports") or ())
    return next((entry["containerPort"] for entry in of_pod if entry.get("name") == target), 0)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

"""Runs the Pods whose image is in the table: one thread a Pod, and what they share."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from twin.instances import Instance
from twin.kubernetes import certificates, egress
from twin.kubernetes.api import Kube, Object
from twin.kubernetes.egress import NoBackendError, Serve
from twin.kubernetes.informer import Mirror
from twin.kubernetes.pods import finished, node_of
from twin.kubernetes.processes import addresses
from twin.kubernetes.processes.images import Images
from twin.kubernetes.processes.kubelet import PORT, Kubelet
from twin.kubernetes.processes.launch import Launcher, Machine
from twin.kubernetes.processes.network import Network
from twin.kubernetes.processes.pod import END_SECONDS, Pod
from twin.kubernetes.processes.proxy import Proxy
from twin.kubernetes.processes.sources import Sources
from twin.kubernetes.processes.volumes import Volumes
from twin.processes import MARK

log = logging.getLogger(__name__)

WATCHED: Final = {
    "services": "/api/v1/services",
    "slices": "/apis/discovery.k8s.io/v1/endpointslices",
}


class Identity(Protocol):
    """The cloud's part of a node: `twin.<cloud>.workload_identity`."""

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of loopback on which Pods reach the cloud."""
        ...

    def extended(self, pod: Object) -> Object:
        """The Pod with what the cloud's webhook adds to one whose service account has an identity."""
        ...

    def variables(self, pod: Object) -> dict[str, str]:
        """Variables by which the SDKs of a Pod reach the twin's cloud and its identity."""
        ...

    def close(self) -> None:
        """Stop answering."""
        ...


class Processes:
    """All Pods that run here.

    mirror: the controller's, with nodes and Pods. identity: returns the cloud's part. factor: of the twin's
    clock. resolve: answers an address of the cluster with what serves it. Nothing is started, watched or
    written while the table of images is empty and no Pod's program is selected. The processes inherit the
    controller's mark (twin.processes), so that they end with it.
    """

    def __init__(
        self,
        instance: Instance,
        kube: Kube,
        mirror: Mirror,
        images: Images,
        identity: Callable[[], Identity],
        factor: float,
        resolve: egress.Resolve,
    ) -> None:
        self._resolve = resolve
        self._instance, self._kube, self._mirror = instance, kube, mirror
        self._images, self._factor = images, factor
        self._connect = identity
        self._folder = instance.folder / "pods"
        self._claims = instance.folder / "claims"
        self._pods: dict[str, Pod] = {}
        self._objects = Mirror(kube, WATCHED)
        self._node: _Node | None = None
        self._ending = False

    def step(self, *, live: bool) -> None:
        """Once: start what was bound to a node, end what was deleted. live: whether there is a cluster."""
        if not live:
            if self._images or self._node is not None:
                self._clear()
            return
        if not self._mirror.synced:
            return
        present = {pod["metadata"]["uid"]: pod for pod in self._mirror.all("pods") if self._images.runs(pod)}
        # Pods of programs that were selected before end here, too.
        if self._node is None and not self._images and not present:
            return
        if self._node is None:
            self._node = self._begin()
        if not self._objects.synced:
            return
        self._node.network.update(self._objects.all("services"), self._objects.all("slices"))
        self._forget(set(present))
        for uid, pod in present.items():
            if uid in self._pods:
                self._pods[uid].pod = pod
            elif node_of(pod) and not finished(pod):
                self._start(self._node, uid, pod)

    def _begin(self) -> _Node:
        self._objects.start()
        identity = self._connect()
        api_server = ("127.0.0.1", self._instance.ports["kube-apiserver"])
        network = Network(self._folder / "network.json", api_server, identity.ports)
        mark = {MARK: os.environ[MARK]} if MARK in os.environ else {}
        kubelet = Kubelet(certificates.ensure(self._instance.folder / "kubernetes" / "pki"), self._find)
        proxy = Proxy(self._resolve)
        proxy.start("proxy")
        return _Node(identity, network, kubelet, Machine(api_server, network.file, mark), proxy)

    def halt(self) -> None:
        """Take the end of a process for that of the twin from now on. Safe in a signal handler."""
        self._ending = True

    def stop(self) -> None:
        """Kill all processes; the Pods stay, and are run again by the next controller."""
        self.halt()
        for pod in self._pods.values():
            pod.join(END_SECONDS)
        self._objects.stop()
        if self._node is not None:
            self._node.identity.close()
            self._node.proxy.stop()

    def backend(self, host: str, port: int) -> Serve | None:
        """Return what serves an address of the cluster, for the relay; None where it is of no Pod here.

        Raises NoBackendError where the Pod does not listen.
        """
        if self._node is None:
            return None
        if port == PORT and self._is_node(host):
            return self._node.kubelet.serve
        target = self._node.network.target(host, port)
        if target is None:
            return None
        if target != self._node.machine.api_server:
            pod = next((pod for pod in self._pods.values() if pod.launcher.address == target[0]), None)
            if pod is None:
                return None
            if not pod.listens(target[1]):
                name = f"{pod.pod['metadata']['namespace']}/{pod.name}"
                raise NoBackendError(f"no process of Pod {name} listens on port {target[1]}")
        return egress.to_loopback(target[1], target[0])

    def _start(self, shared: _Node, uid: str, pod: Object) -> None:
        node = self._mirror.one("nodes", node_of(pod))
        if node is None:
            return
        status = node.get("status") or {}
        hosts = [entry["address"] for entry in status.get("addresses") or () if entry["type"] == "InternalIP"]
        host = next(iter(hosts), "")
        namespace, folder = pod["metadata"]["namespace"], self._folder / uid
        address = addresses.loopback(addresses.of_pod(pod)) or "127.0.0.1"
        extended = shared.identity.extended(pod)
        seen = {
            **extended,
            "status": {
                "podIP": address,
                "podIPs": [{"ip": address}],
                "hostIP": host,
                "hostIPs": [{"ip": host}],
            },
        }
        sources = Sources(self._kube, seen, status.get("allocatable") or {})
        volumes = Volumes(sources, folder, self._claims / namespace)
        launcher = Launcher(
            shared.machine,
            sources,
            volumes,
            folder,
            address,
            lambda: shared.network.headless(namespace),
            shared.identity.variables(pod),
        )
        volumes.adapt = launcher.adaptation(shared.proxy.address, self._factor).file
        log.info("Pod %s/%s runs as processes", namespace, pod["metadata"]["name"])
        self._pods[uid] = Pod(
            extended, self._kube, self._images, host, self._factor, volumes, launcher, lambda: self._ending
        )
        self._pods[uid].start()

    def _find(self, namespace: str, name: str) -> Pod | None:
        for pod in self._pods.values():
            if (pod.pod["metadata"]["namespace"], pod.name) == (namespace, name):
                return pod
        return None

    def _is_node(self, host: str) -> bool:
        return any(
            host == entry["address"]
            for node in self._mirror.all("nodes")
            for entry in (node.get("status") or {}).get("addresses") or ()
        )

    def _forget(self, present: set[str]) -> None:
        """End the Pods that are no longer in the API, and delete their folders."""
        for uid in [uid for uid in self._pods if uid not in present]:
            self._pods.pop(uid).gone.set()
        folders = [path for path in self._folder.iterdir() if path.is_dir()] if self._folder.exists() else []
        for folder in folders:
            if folder.name not in present:
                shutil.rmtree(folder, ignore_errors=True)

    def _clear(self) -> None:
        """End all: the cluster was deleted."""
        self._forget(set())
        shutil.rmtree(self._claims, ignore_errors=True)


@dataclass(frozen=True)
class _Node:
    """What all Pods share."""

    identity: Identity
    network: Network
    kubelet: Kubelet
    machine: Machine
    proxy: Proxy

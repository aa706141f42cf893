"""Names and addresses of the cluster on this machine: what DNS and the Service proxy do on a node.

The relay of the API server's connections asks here, and so do Python programs in Pods, which read the file
(hook/sitecustomize.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.processes import addresses
from twin.private_files import write_private

Target = tuple[str, int]

_NO_ADDRESS: Final = (None, "", "None")


class Network:
    """The Services and Pods of a cluster.

    file: what programs in Pods read. api_server: where the API server listens. direct: ports of 127.0.0.1
    that are the twin's; all others of "localhost" are the Pod's.
    """

    def __init__(self, file: Path, api_server: Target, direct: Iterable[int]) -> None:
        self.file = file
        self._api_server = api_server
        self._direct = sorted({*direct, api_server[1]})
        self._targets: Mapping[str, list[Target]] = {}
        self._headless: Mapping[str, list[str]] = {}
        self._written = ""

    def update(self, services: Iterable[Object], slices: Iterable[Object]) -> None:
        """Take over the Services and EndpointSlices of the cluster."""
        ends = by_service(slices)
        names: dict[str, list[str]] = {}
        targets: dict[str, list[Target]] = {}
        headless: dict[str, list[str]] = {}
        for service in services:
            namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
            spec, here = service["spec"], ends.get((namespace, name), [])
            if spec.get("clusterIP") in _NO_ADDRESS:
                headless.setdefault(namespace, []).append(name)
                names[f"{name}.{namespace}"] = sorted(set(_ready(here)))
                for hostname, address in _hosts(here):
                    names[f"{hostname}.{name}.{namespace}"] = [address]
                continue
            names[f"{name}.{namespace}"] = [spec["clusterIP"]]
            for port in spec.get("ports") or ():
                targets[f"{spec['clusterIP']}:{port['port']}"] = targets_of(here, port)
            if (namespace, name) == ("default", "kubernetes"):
                targets[f"{spec['clusterIP']}:443"] = [self._api_server]
        self._targets, self._headless = targets, headless
        text = json.dumps({"names": names, "targets": targets, "direct": self._direct}, sort_keys=True)
        if text != self._written or not self.file.exists():
            write_private(self.file, text)
            self._written = text

    def headless(self, namespace: str) -> list[str]:
        """Return the headless Services of a namespace."""
        return self._headless.get(namespace, [])

    def target(self, host: str, port: int) -> Target | None:
        """Return where an address of the cluster is served on this machine, or None."""
        known = self._targets.get(f"{host}:{port}")
        if known:
            return random.choice(known)  # noqa: S311 - as kube-proxy
        address = addresses.loopback(host)
        return None if address is None else (address, port)


def by_service(slices: Iterable[Object]) -> dict[tuple[str, str], list[Object]]:
    """Return the EndpointSlices of each Service, by its namespace and name."""
    pieces: dict[tuple[str, str], list[Object]] = {}
    for piece in slices:
        metadata = piece["metadata"]
        service = (metadata.get("labels") or {}).get("kubernetes.io/service-name", "")
        pieces.setdefault((metadata["namespace"], service), []).append(piece)
    return pieces


def _endpoints(slices: Iterable[Object]) -> Iterable[tuple[Object, str]]:
    for piece in slices:
        for endpoint in piece.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            for address in endpoint["addresses"]:
                here = addresses.loopback(address)
                if here is not None:
                    yield endpoint, here


def _ready(slices: Iterable[Object]) -> list[str]:
    return [address for _, address in _endpoints(slices)]


def _hosts(slices: Iterable[Object]) -> list[tuple[str, str]]:
    return [
        (endpoint["hostname"], address)
        for endpoint, address in _endpoints(slices)
        if endpoint.get("hostname")
    ]


def targets_of(slices: Iterable[Object], port: Mapping[str, Any]) -> list[Target]:
    """Return where the Pods of a Service listen that are ready and run here. port: of the Service."""
    targets: set[Target] = set()
    for piece in slices:
        for open_port in piece.get("ports") or ():
            if (open_port.get("name") or "") == (port.get("name") or "") and open_port.get("port"):
                targets.update((address, int(open_port["port"])) for address in _ready([piece]))
    return sorted(targets)

"""Envoy's configuration: what Envoy Gateway would send it, in files that Envoy watches, with the addresses of
this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from twin.kubernetes.api import Object
from twin.kubernetes.envoy_gateway.translation import Translation

Endpoint = tuple[str, int]
Endpoints = Callable[[str, int], list[Endpoint] | None]
"""Answers ClusterIP or name and port of a Service with the addresses of its Pods on this machine; None for
another address."""
_NOWHERE: Final = ("127.0.0.1", 1)
"""Where nothing listens: Envoy reaches what is in the cluster, and nothing outside the machine."""
_ALL: Final = ("0.0.0.0", "::")  # noqa: S104 - what is replaced
_FROM_CONTROLLER: Final = ("xds_cluster", "wasm_cluster", "local_cluster")
"""Clusters of the controller, of which the files take the place."""


@dataclass(frozen=True)
class Place:
    """Where an Envoy has its configuration, and the address that it listens on."""

    folder: Path
    address: str

    def file(self, kind: str, name: str = "") -> Path:
        """Return the file of a kind of resources, or of one of them."""
        end = f"-{hashlib.sha256(name.encode()).hexdigest()[:16]}" if name else ""
        return self.folder / f"{kind}{end}.json"


def files(
    translation: Translation, place: Place, endpoints: Endpoints, secrets: Iterable[Object], node: str
) -> Mapping[Path, str]:
    """Return path -> content, in the order in which they are written: what others refer to is first.

    node: the name of the Envoy.
    """
    by_name = {f"{item['metadata']['namespace']}/{item['metadata']['name']}": item for item in secrets}
    parts = translation.configuration
    written: dict[Path, str] = {}
    for entry in _entries(parts, "Endpoints", "dynamicEndpointConfigs", "endpointConfig"):
        assignment = _assigned(entry, endpoints)
        written[place.file("eds", entry["clusterName"])] = _response([assignment])
    clusters = [
        _cluster(entry, place, endpoints)
        for entry in _entries(parts, "Clusters", "dynamicActiveClusters", "cluster", "activeState")
    ]
    written[place.file("cds")] = _response(clusters)
    for entry in _entries(parts, "Routes", "dynamicRouteConfigs", "routeConfig"):
        written[place.file("rds", entry["name"])] = _response([entry])
    listeners = [
        _listener(entry, place, by_name)
        for entry in _entries(parts, "Listeners", "dynamicListeners", "listener", "activeState")
    ]
    written[place.file("lds")] = _response(listeners)
    written[place.file("bootstrap")] = json.dumps(
        _bootstrap(parts["Bootstrap"]["bootstrap"], place, node), indent=1
    )
    return written


def _entries(parts: Mapping[str, Any], part: str, key: str, *path: str) -> list[dict[str, Any]]:
    """Return the resources of a part of the dump; each is below the first key of a path that it has."""
    entries: list[dict[str, Any]] = []
    for entry in parts.get(part, {}).get(key) or ():
        state = entry.get("activeState") or entry
        entries.append(state[path[0]])
    return entries


def _response(resources: list[Any]) -> str:
    text = json.dumps(resources, sort_keys=True)
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    return json.dumps({"versionInfo": version, "resources": resources}, indent=1)


def _assigned(assignment: dict[str, Any], endpoints: Endpoints) -> dict[str, Any]:
    """Return an assignment with the Pods in the place of Services."""
    localities = [
        {
            **locality,
            "lbEndpoints": [
                replaced
                for entry in locality.get("lbEndpoints") or ()
                for replaced in _replaced(entry, endpoints)
            ],
        }
        for locality in assignment.get("endpoints") or ()
    ]
    return {**assignment, "endpoints": localities}


def _replaced(entry: dict[str, Any], endpoints: Endpoints) -> list[dict[str, Any]]:
    address = entry["endpoint"].get("address", {}).get("socketAddress")
    if address is None:
        return [entry]
    pods = endpoints(address["address"], address.get("portValue", 0))
    return [
        {
            **entry,
            "endpoint": {
                **entry["endpoint"],
                "address": {"socketAddress": {"address": host, "portValue": port}},
            },
        }
        for host, port in ([_NOWHERE] if pods is None else pods)
    ]


def _cluster(cluster: dict[str, Any], place: Place, endpoints: Endpoints) -> dict[str, Any]:
    changed = dict(cluster)
    eds = changed.get("edsClusterConfig")
    if eds is not None:
        name = eds.get("serviceName") or cluster["name"]
        changed["edsClusterConfig"] = {**eds, "edsConfig": _source(place.file("eds", name))}
    if "loadAssignment" in changed:
        # Names have become addresses.
        changed["loadAssignment"] = _assigned(changed["loadAssignment"], endpoints)
        changed.pop("clusterType", None)
        changed.pop("dnsLookupFamily", None)
        changed["type"] = "STATIC"
    return changed


def _listener(listener: dict[str, Any], place: Place, secrets: Mapping[str, Object]) -> dict[str, Any]:
    here = _with_address(listener, place.address)
    return cast("dict[str, Any]", _adapted(here, place, secrets))


def _adapted(node: Any, place: Place, secrets: Mapping[str, Object]) -> Any:
    """Return a part of a listener with routes from files, and certificates in place of names of Secrets."""
    if isinstance(node, list):
        return [_adapted(entry, place, secrets) for entry in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    entries = {key: _adapted(value, place, secrets) for key, value in cast("dict[str, Any]", node).items()}
    if "rds" in entries:
        rds = entries["rds"]
        entries["rds"] = {**rds, "configSource": _source(place.file("rds", rds["routeConfigName"]))}
    named = entries.pop("tlsCertificateSdsSecretConfigs", None)
    if named is not None:
        entries["tlsCertificates"] = [
            certificate
            for entry in named
            if (certificate := _certificate(entry["name"], secrets)) is not None
        ]
    return entries


def _certificate(name: str, secrets: Mapping[str, Object]) -> dict[str, Any] | None:
    data = (secrets.get(name) or {}).get("data") or {}
    if "tls.crt" not in data or "tls.key" not in data:
        return None
    return {
        "certificateChain": {"inlineBytes": data["tls.crt"]},
        "privateKey": {"inlineBytes": data["tls.key"]},
    }


def _bootstrap(bootstrap: dict[str, Any], place: Place, node: str) -> dict[str, Any]:
    static = bootstrap.get("staticResources") or {}
    clusters = [
        cluster for cluster in static.get("clusters") or () if cluster["name"] not in _FROM_CONTROLLER
    ]
    changed = {
        key: value for key, value in bootstrap.items() if key not in ("clusterManager", "dynamicResources")
    }
    changed["node"] = {"id": node, "cluster": node}
    changed["dynamicResources"] = {
        "ldsConfig": _source(place.file("lds")),
        "cdsConfig": _source(place.file("cds")),
    }
    changed["staticResources"] = {
        "listeners": [_with_address(entry, place.address) for entry in static.get("listeners") or ()],
        "clusters": [_to_itself(cluster, place.address) for cluster in clusters],
    }
    changed["admin"] = _with_address(bootstrap["admin"], place.address)
    return changed


def _to_itself(node: Any, address: str) -> Any:
    """Return a part of the bootstrap with the Envoy's address in the place of loopback's."""
    if isinstance(node, list):
        return [_to_itself(entry, address) for entry in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    entries = {key: _to_itself(value, address) for key, value in cast("dict[str, Any]", node).items()}
    if entries.get("address") == "127.0.0.1":
        entries["address"] = address
    return entries


def _with_address(node: dict[str, Any], address: str) -> dict[str, Any]:
    """Return a listener at the Envoy's address, with its port as it is."""
    listening = node["address"]["socketAddress"]
    if listening["address"] not in (*_ALL, "127.0.0.1"):
        return node
    return {**node, "address": {"socketAddress": {**listening, "address": address}}}


def _source(file: Path) -> dict[str, Any]:
    return {
        "pathConfigSource": {"path": str(file)},
        "resourceApiVersion": "V3",
        "initialFetchTimeout": "0s",
    }

"""What Envoy Gateway's command is asked, and what it answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.scheduling_predicates import selector_holds

CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "gatewayclasses": ("gateway.networking.k8s.io/v1", "GatewayClass"),
    "gateways": ("gateway.networking.k8s.io/v1", "Gateway"),
    "httproutes": ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    "referencegrants": ("gateway.networking.k8s.io/v1", "ReferenceGrant"),
    "envoyproxies": ("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy"),
    "clienttrafficpolicies": ("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy"),
    "backendtrafficpolicies": ("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"),
    "securitypolicies": ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy"),
    "envoyextensionpolicies": ("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy"),
    "namespaces": ("v1", "Namespace"),
    "services": ("v1", "Service"),
    "secrets": ("v1", "Secret"),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice"),
}
"""Collection -> version and kind, of what is watched."""
ANSWERED: Final[Mapping[str, str]] = {
    "gateways": "gateways",
    "httproutes": "httpRoutes",
    "clienttrafficpolicies": "clientTrafficPolicies",
    "backendtrafficpolicies": "backendTrafficPolicies",
    "securitypolicies": "securityPolicies",
    "envoyextensionpolicies": "envoyExtensionPolicies",
}
"""Collection -> its key in the answer, of what gets a status."""
_SECONDS: Final = 60.0


class TranslationError(Exception):
    """The command refused the objects; the text is its own."""


@dataclass(frozen=True)
class Translation:
    """What the command made of a gateway. status: by collection, objects with their status."""

    configuration: Mapping[str, Any]
    """Type of Envoy's resources (`Listeners`) -> the part of the configuration dump."""
    status: Mapping[str, list[Object]]


def collections() -> dict[str, str]:
    """Return collection -> its path in the API."""
    return {
        plural: f"/api/v1/{plural}" if version == "v1" else f"/apis/{version}/{plural}"
        for plural, (version, _) in KINDS.items()
    }


def request(gateway: Object, objects: Mapping[str, Iterable[Object]]) -> str:
    """Return the objects that decide the configuration of a gateway, as the command reads them. objects: by
    collection."""
    name = gateway["metadata"]["name"], gateway["metadata"]["namespace"]
    spec = {key: value for key, value in gateway["spec"].items() if key != "infrastructure"}
    # The command reads no labels of namespaces: which routes may attach is decided here.
    spec["listeners"] = [_open(listener) for listener in spec["listeners"]]
    allowed = _allowed(gateway, objects["namespaces"])
    proxy = ((gateway["spec"].get("infrastructure") or {}).get("parametersRef") or {}).get("name")
    documents = [
        _document("gatewayclasses", item)
        for item in objects["gatewayclasses"]
        if item["metadata"]["name"] == spec["gatewayClassName"]
    ]
    # The command knows parameters of classes alone.
    documents += [
        _document("envoyproxies", item)
        for item in objects["envoyproxies"]
        if (item["metadata"]["name"], item["metadata"]["namespace"]) == (proxy, name[1])
    ]
    documents.append(_document("gateways", {**gateway, "spec": spec}))
    for plural in (
        "namespaces",
        "services",
        "referencegrants",
        "clienttrafficpolicies",
        "backendtrafficpolicies",
        "securitypolicies",
        "envoyextensionpolicies",
    ):
        documents += [_document(plural, item) for item in objects[plural]]
    documents += [
        _document("secrets", item)
        for item in objects["secrets"]
        if item.get("type") == "kubernetes.io/tls" and item["metadata"]["namespace"] == name[1]
    ]
    documents += [
        _document("httproutes", item)
        for item in objects["httproutes"]
        if attaches(item, *name) and item["metadata"]["namespace"] in allowed
    ]
    return "\n---\n".join(json.dumps(document, sort_keys=True) for document in documents) + "\n"


def _open(listener: Object) -> Object:
    """Return a listener that takes the routes of all namespaces."""
    routes = {**(listener.get("allowedRoutes") or {}), "namespaces": {"from": "All"}}
    return {**listener, "allowedRoutes": routes}


def _allowed(gateway: Object, namespaces: Iterable[Object]) -> set[str]:
    """Return the namespaces whose routes a listener of a gateway takes."""
    rules = [
        (listener.get("allowedRoutes") or {}).get("namespaces") or {}
        for listener in gateway["spec"]["listeners"]
    ]
    namespace = gateway["metadata"]["namespace"]
    return {
        item["metadata"]["name"]
        for item in namespaces
        if any(_takes(rule, item, namespace) for rule in rules)
    }


def _takes(rule: Mapping[str, Any], namespace: Object, gateway_namespace: str) -> bool:
    kind = rule.get("from", "Same")
    if kind != "Selector":
        return kind == "All" or (kind == "Same" and namespace["metadata"]["name"] == gateway_namespace)
    labels: Mapping[str, str] = namespace["metadata"].get("labels") or {}
    return selector_holds(rule.get("selector") or {}, labels)


def attaches(route: Object, name: str, namespace: str) -> bool:
    """Return whether a route refers to a gateway."""
    return any(
        (parent["name"], parent.get("namespace", route["metadata"]["namespace"])) == (name, namespace)
        for parent in route["spec"].get("parentRefs") or ()
        if parent.get("kind", "Gateway") == "Gateway"
    )


def translate(binary: str, text: str, namespace: str) -> Translation:
    """Run the command. namespace: of Envoy Gateway. Raises TranslationError."""
    command = [binary, "x", "translate", "--from", "gateway-api", "--to", "gateway-api,xds", "-o", "json"]
    # From a file: of its standard input it reads lines of 64 KiB at most.
    done = subprocess.run(
        [*command, "-n", namespace, "-f", "/dev/stdin"],
        input=text.encode(),
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise TranslationError(done.stderr.decode(errors="replace").strip()[-2000:])
    answer: dict[str, Any] = json.loads(done.stdout)
    dumps: list[Any] = list((answer.get("xds") or {}).values())
    parts = {
        part["@type"].rpartition(".")[2].removesuffix("ConfigDump"): part
        for dump in dumps[:1]
        for part in dump.get("configs") or ()
    }
    return Translation(parts, {plural: answer.get(key) or [] for plural, key in ANSWERED.items()})


def _document(plural: str, item: Object) -> Object:
    """Return an object with its kind, which lists leave out, and without what decides nothing."""
    version, kind = KINDS[plural]
    metadata = {
        key: value
        for key, value in item["metadata"].items()
        if key in ("name", "namespace", "labels", "annotations", "generation", "creationTimestamp", "uid")
    }
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**rest, "apiVersion": version, "kind": kind, "metadata": metadata}

"""The HTTPRoute of a service: its state, and how it changes.

The backend of a color is left out while there is no such InferenceService. Each backend has a filter, so that
Envoy has a cluster with metrics for each of them, and not one for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from model_rollout.templates import COLORS, Object, Service

STABLE: Final = "ai-platform/stable"
"""The annotation with the color that requests go back to."""
PREVIOUS: Final = "ai-platform/previous"
"""The annotation with the color of the release before, where it was kept."""
STAGE: Final = "ai-platform/rollout-stage"
SINCE: Final = "ai-platform/rollout-since"
"""The annotations with the stage of a rollout, and its beginning in seconds (Unix time)."""
RESULT: Final = "ai-platform/rollout-result"
REASON: Final = "ai-platform/rollout-reason"
ROLLED_BACK_AT: Final = "ai-platform/rolled-back-at"
"""The annotation with the time of the last rollback, until a rollout succeeds. Prometheus reads it."""
_MIRROR: Final = "RequestMirror"


@dataclass(frozen=True)
class State:
    """What a route states."""

    item: Object

    def annotation(self, name: str) -> str:
        """Return an annotation; empty where it is missing."""
        annotations: Mapping[str, str] = self.item["metadata"].get("annotations") or {}
        return annotations.get(name, "")

    @property
    def stable(self) -> str:
        """The color that requests go back to; empty where the route is of no rollout."""
        stable = self.annotation(STABLE)
        return stable if stable in COLORS else ""

    @property
    def candidate(self) -> str:
        """The other color."""
        return COLORS[1 - COLORS.index(self.stable)]

    def weight(self, service: Service, color: str) -> int:
        """Return the percent of a color's requests; 0 where it is no backend."""
        backend = backend_of(service, color)
        references: Sequence[Mapping[str, Any]] = self.item["spec"]["rules"][0].get("backendRefs") or ()
        return next((entry.get("weight", 1) for entry in references if entry["name"] == backend), 0)


def backend_of(service: Service, color: str) -> str:
    """Return the name of the Service of a color's predictor, as KServe calls it."""
    return f"{service.object_name(color)}-predictor"


def spec(service: Service, weights: Mapping[str, int], mirror: Mapping[str, int] | None = None) -> Object:
    """Return the spec of the route. weights: color -> percent, of the InferenceServices that there are.
    mirror: color -> percent of the requests that it gets copies of."""
    stated = deepcopy(service.route["spec"])
    rule = stated["rules"][0]
    references = {entry["name"]: entry for entry in rule["backendRefs"]}
    rule["backendRefs"] = [
        {**references[backend_of(service, color)], "weight": weights[color]}
        for color in COLORS
        if color in weights
    ]
    for color, percent in (mirror or {}).items():
        reference = {
            key: value
            for key, value in references[backend_of(service, color)].items()
            if key not in ("weight", "filters")
        }
        copies: Object = {"backendRef": reference, **({"percent": percent} if percent != 100 else {})}
        rule.setdefault("filters", []).append({"type": _MIRROR, "requestMirror": copies})
    return stated


def created(service: Service, weights: Mapping[str, int], annotations: Mapping[str, str]) -> Object:
    """Return a route that does not exist yet."""
    item = deepcopy(service.route)
    item["metadata"]["annotations"] = dict(annotations)
    item["spec"] = spec(service, weights)
    return item


def cluster_of(service: Service, namespace: str, color: str, item: Object) -> str:
    """Return the name of Envoy's cluster of a color: of the backend or, without requests of clients, of the
    copies (Envoy Gateway 1.9, internal/gatewayapi)."""
    rule = item["spec"]["rules"][0]
    prefix = f"httproute/{namespace}/{service.name}/rule/0"
    backend = backend_of(service, color)
    for index, entry in enumerate(rule.get("backendRefs") or ()):
        if entry["name"] == backend and entry.get("weight", 1) > 0:
            return f"{prefix}/backend/{index}"
    for index, entry in enumerate(rule.get("filters") or ()):
        if entry["type"] == _MIRROR and entry["requestMirror"]["backendRef"]["name"] == backend:
            return f"{prefix}-mirror-{index}"
    return ""


def same_path(service: Service, routes: Sequence[Object]) -> str:
    """Return the name of another route with the path of the service; empty where there is none. Of two the
    gateway takes the older one."""

    def paths(item: Object) -> set[str]:
        return {
            match["path"]["value"].rstrip("/")
            for rule in item["spec"].get("rules") or ()
            for match in rule.get("matches") or ()
            if "path" in match
        }

    wanted = paths(service.route)
    hosts = set(service.route["spec"].get("hostnames") or ())
    for item in routes:
        others = set(item["spec"].get("hostnames") or ())
        overlap = not hosts or not others or bool(hosts & others)
        if item["metadata"]["name"] != service.name and overlap and paths(item) & wanted:
            return str(item["metadata"]["name"])
    return ""

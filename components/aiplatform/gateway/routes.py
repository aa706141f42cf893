"""Routes to the services of teams, as Kubernetes takes them.

`http_route` makes those that Pulumi owns. `service_route` is the template of those whose weights a pipeline
changes: it begins with blue at 100 percent and green at 0, and moves requests by `weights`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiplatform.gateway.args import (
    NAME,
    NAMESPACE,
    GatewayBackend,
    GatewayClass,
    GatewayMirror,
    GatewaySettings,
)
from aiplatform.gateway.objects import GATEWAY_GROUP, GATEWAY_VERSION, LISTENER

KIND: Final = "HTTPRoute"
SERVED_BY: Final = "x-served-by"
"""The header with the InferenceService that answered, of routes whose weights a pipeline changes."""
_LONGEST_SECONDS: Final = 86_400
"""A day: a backend of Google Cloud has no unlimited timeout."""


@dataclass(frozen=True)
class ServiceRoute:
    """A route to a service. timeout_seconds: 0 is unlimited."""

    name: str
    namespace: str
    path: str
    backends: Sequence[GatewayBackend]
    hosts: Sequence[str] = ()
    """Empty: all of the gateway."""
    timeout_seconds: int = 0
    mirror: GatewayMirror | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    gateway_class: GatewayClass = "envoy"
    named: bool = False
    """Whether responses have the header `x-served-by` with the name of the backend. Envoy then has a cluster
    with metrics for each backend; without such a filter one for all of a rule."""


def http_route(route: ServiceRoute) -> Mapping[str, Any]:
    """Return the HTTPRoute: requests below the path go to the backends by their weights, without the path.
    Raises ValueError where the weights do not add up to 100."""
    total = sum(backend.weight for backend in route.backends)
    if total != 100:
        raise ValueError(f"{route.name}: weights add up to {total}; expected 100, percent of the requests")
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": "PathPrefix", "value": route.path}}],
        "filters": [
            {
                "type": "URLRewrite",
                "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
            }
        ],
        "backendRefs": [
            {
                **_reference(backend.service, backend.port),
                "weight": backend.weight,
                **({"filters": [_named(backend.service)]} if route.named else {}),
            }
            for backend in route.backends
        ],
    }
    if route.mirror is not None:
        mirror: dict[str, Any] = {"backendRef": _reference(route.mirror.service, route.mirror.port)}
        if route.mirror.percent != 100:
            mirror["percent"] = route.mirror.percent
        rule["filters"].append({"type": "RequestMirror", "requestMirror": mirror})
    # A gateway of GKE refuses routes with timeouts: it has them from a policy of the backend.
    if route.gateway_class == "envoy":
        rule["timeouts"] = {"request": f"{route.timeout_seconds}s"}
    return {
        "apiVersion": GATEWAY_VERSION,
        "kind": KIND,
        "metadata": {
            "name": route.name,
            "namespace": route.namespace,
            **({"labels": dict(route.labels)} if route.labels else {}),
        },
        "spec": {
            "parentRefs": [
                {
                    "group": GATEWAY_GROUP,
                    "kind": "Gateway",
                    "name": NAME,
                    "namespace": NAMESPACE,
                    "sectionName": LISTENER,
                }
            ],
            **({"hostnames": list(route.hosts)} if route.hosts else {}),
            "rules": [rule],
        },
    }


def service_route(
    name: str,
    team: str,
    namespace: str,
    *,
    blue: str,
    green: str,
    green_percent: int = 0,
    timeout_seconds: int = 3600,
    mirror: GatewayMirror | None = None,
    gateway_class: GatewayClass = "envoy",
) -> Mapping[str, Any]:
    """Return the HTTPRoute of a service with two versions, whose weights a pipeline changes. blue, green:
    names of Services in the team's namespace, at port 80. Raises ValueError for a percentage outside 0 to
    100."""
    if not 0 <= green_percent <= 100:
        raise ValueError(f"{name}: {green_percent} percent; expected 0 to 100")
    return http_route(
        ServiceRoute(
            name=name,
            namespace=namespace,
            path=f"/{team}/{name}",
            backends=[
                GatewayBackend(blue, weight=100 - green_percent),
                GatewayBackend(green, weight=green_percent),
            ],
            timeout_seconds=timeout_seconds,
            mirror=mirror,
            gateway_class=gateway_class,
            # A gateway of GKE refuses filters of backends.
            named=gateway_class == "envoy",
        )
    )


def weights(green_percent: int) -> list[Mapping[str, Any]]:
    """Return the JSON patch by which a pipeline moves requests of `service_route` to green. Raises ValueError
    for a percentage outside 0 to 100."""
    if not 0 <= green_percent <= 100:
        raise ValueError(f"{green_percent} percent; expected 0 to 100")
    path = "/spec/rules/0/backendRefs"
    return [
        {"op": "replace", "path": f"{path}/0/weight", "value": 100 - green_percent},
        {"op": "replace", "path": f"{path}/1/weight", "value": green_percent},
    ]


def of_settings(settings: GatewaySettings, name: str) -> Mapping[str, Any]:
    """Return the HTTPRoute of an entry of `routes`."""
    route = settings.routes[name]
    return http_route(
        ServiceRoute(
            name=name,
            namespace=settings.namespace(route.team),
            path=settings.path(name),
            backends=route.backends,
            hosts=route.hosts,
            timeout_seconds=settings.timeout(name),
            mirror=route.mirror,
            gateway_class=settings.gateway_class,
        )
    )


def _named(service: str) -> dict[str, Any]:
    header = {"name": SERVED_BY, "value": service.removesuffix("-predictor")}
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [header]}}


def _reference(service: str, port: int) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": service, "port": port}


def backend_policies(settings: GatewaySettings, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return Service -> kind -> what GKE's load balancers need of a route's backends: timeouts, which are 30
    seconds by default, and what health checks request (GKE, "Configure Gateway resources using Policies")."""
    route, seconds = settings.routes[name], settings.timeout(name)
    return {
        service: {
            "GCPBackendPolicy": {
                "default": {"timeoutSec": seconds or _LONGEST_SECONDS},
                "targetRef": _service(service),
            },
            "HealthCheckPolicy": {
                "default": {
                    "config": {
                        "type": "HTTP",
                        "httpHealthCheck": {"requestPath": route.health_path or "/"},
                    }
                },
                "targetRef": _service(service),
            },
        }
        for service in settings.services(name)
    }


def _service(name: str) -> dict[str, str]:
    return {"group": "", "kind": "Service", "name": name}

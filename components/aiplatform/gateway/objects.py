"""The objects of a gateway as Kubernetes takes them, without Pulumi."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.addons.values.envoy_gateway import CONTROLLER
from aiplatform.addons.values.setup import PRIORITY_CLASS, Setup, requests, scheduling
from aiplatform.gateway.args import NAME, NAMESPACE, Authentication, GatewaySettings

GATEWAY_GROUP: Final = "gateway.networking.k8s.io"
GATEWAY_VERSION: Final = f"{GATEWAY_GROUP}/v1"
ENVOY_GROUP: Final = "gateway.envoyproxy.io"
ENVOY_VERSION: Final = f"{ENVOY_GROUP}/v1alpha1"
LISTENER: Final = "https"
"""The name of the Gateway's only listener."""
PORT: Final = 443
CONTAINER_PORT: Final = PORT + 10_000
"""Where Envoy listens: Envoy Gateway adds 10,000 to ports below 1024, which only root may open."""
CONTROLLER_PORT: Final = 18000
"""Where Envoy Gateway configures Envoy."""
PODS: Final[Mapping[str, str]] = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
    f"{ENVOY_GROUP}/owning-gateway-namespace": NAMESPACE,
    f"{ENVOY_GROUP}/owning-gateway-name": NAME,
}
"""The labels of the Pods of Envoy."""
SECRET: Final = "ai-platform-gateway"  # noqa: S105 - its name
"""The Secret with the certificate of the Gateway."""
_PROVIDER: Final = "tokens"
_GKE_CLASS: Final = "gke-l7-rilb"
"""GKE's internal Application Load Balancer."""
_CLAIM_TYPES: Final = {"list": "StringArray", "string": "String"}
_TEAMS: Final = {"matchExpressions": [{"key": TEAM_LABEL, "operator": "Exists"}]}
"""The namespaces whose routes the gateway takes: those of teams."""

Object = Mapping[str, Any]


def certificate(settings: GatewaySettings) -> Object:
    """Return the certificate of the Gateway, which cert-manager renews."""
    return {
        "secretName": SECRET,
        "dnsNames": list(settings.hosts),
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["digital signature", "server auth"],
        "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": settings.issuer},
    }


def gateway_class() -> Object:
    """Return the class of Envoy's gateways."""
    return {"controllerName": CONTROLLER}


def gateway(settings: GatewaySettings) -> Object:
    """Return the Gateway. It has one listener, for HTTPS: nothing answers without TLS."""
    listener: dict[str, Any] = {
        "name": LISTENER,
        "port": PORT,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": SECRET}]},
        "allowedRoutes": {
            "kinds": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute"}],
            "namespaces": {"from": "Selector", "selector": _TEAMS},
        },
    }
    if settings.gateway_class == "gke":
        return {"gatewayClassName": _GKE_CLASS, "listeners": [listener]}
    return {
        "gatewayClassName": NAME,
        "infrastructure": {"parametersRef": {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": NAME}},
        "listeners": [listener],
    }


def envoy_proxy(settings: GatewaySettings, mirrors: Mapping[str, str]) -> Object:
    """Return how Envoy runs. Its Service has no load balancer: the component has one in front of it, so that
    its end is waited for before that of the controllers."""
    setup = Setup(replicas=settings.replicas, mirrors=mirrors)
    kubernetes: dict[str, Any] = {
        "envoyDeployment": {
            "replicas": settings.replicas,
            "container": {
                "image": f"{setup.repository('envoy')}:{setup.tag('envoy')}",
                "resources": requests("200m", "512Mi"),
            },
            "pod": {
                "priorityClassName": PRIORITY_CLASS,
                "topologySpreadConstraints": setup.spread(PODS),
                **scheduling(),
            },
        },
        "envoyService": {"type": "ClusterIP"},
    }
    if settings.replicas > 1:
        kubernetes["envoyPDB"] = {"minAvailable": 1}
    return {
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        # A Network Load Balancer of AWS sends new connections for two minutes to a Pod that it deregisters
        # (aws-load-balancer-controller 2366), and one of GKE until its health check has failed. What runs
        # then has as long again. Envoy Gateway adds 5 minutes, and autoscalers wait 10 for a Pod.
        "shutdown": {"drainTimeout": "300s", "minDrainDuration": "150s"},
    }


def client_traffic(settings: GatewaySettings) -> Object:
    """Return how Envoy treats clients."""
    return {
        "targetRefs": [_target()],
        "tls": {"minVersion": "1.2"},
        # A path with an encoded slash could be read as another team's.
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        "timeout": {
            "http": {
                "idleTimeout": f"{settings.idle_seconds}s",
                "streamIdleTimeout": f"{settings.idle_seconds}s",
                "requestHeadersReceivedTimeout": "10s",
            }
        },
    }


def backend_traffic(settings: GatewaySettings) -> Object:
    """Return timeouts and limits of all routes. Requests are not repeated: a model would compute twice."""
    spec: dict[str, Any] = {
        "targetRefs": [_target()],
        "timeout": {
            "http": {
                "requestTimeout": f"{settings.timeout_seconds}s",
                "streamIdleTimeout": f"{settings.idle_seconds}s",
            }
        },
    }
    limit = settings.rate_limit
    if limit is not None:
        rule = {"limit": {"requests": limit.requests, "unit": limit.unit.capitalize()}}
        spec["rateLimit"] = {"type": "Local", "local": {"rules": [rule]}}
    return spec


def security(settings: GatewaySettings, authentication: Authentication) -> Object:
    """Return which paths clients may call: with a valid token the services of their teams, and routes that
    list one of their teams. All else is refused."""
    rules = [
        _rule(f"team-{team}", f"/{team}", authentication, settings.claims(team)) for team in settings.teams
    ]
    for name, route in settings.routes.items():
        if route.callers:
            values = list(dict.fromkeys(value for team in route.callers for value in settings.claims(team)))
            rules.append(_rule(f"route-{name}", settings.path(name), authentication, values))
    keys: Object = {"remoteJWKS": {"uri": authentication.jwks_uri}}
    if authentication.jwks is not None:
        keys = {"localJWKS": {"type": "Inline", "inline": authentication.jwks}}
    provider = {
        "name": _PROVIDER,
        "issuer": authentication.issuer,
        "audiences": list(authentication.audiences),
        **keys,
    }
    return {
        "targetRefs": [_target()],
        "jwt": {"providers": [provider]},
        "authorization": {"defaultAction": "Deny", "rules": rules},
    }


def _rule(name: str, path: str, authentication: Authentication, values: Sequence[str]) -> Object:
    claim = {
        "name": authentication.team_claim,
        "valueType": _CLAIM_TYPES[authentication.team_claim_type],
        "values": list(values),
    }
    return {
        "name": name,
        "action": "Allow",
        # It ends at a slash: /vision matches /vision/a and not /visions.
        "operation": {"path": {"type": "PathPrefix", "value": path}},
        "principal": {"jwt": {"provider": _PROVIDER, "claims": [claim]}},
    }


def _target() -> Object:
    return {"group": GATEWAY_GROUP, "kind": "Gateway", "name": NAME}

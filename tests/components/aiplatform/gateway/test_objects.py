"""The objects of a gateway, against the schemas of their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema
import pytest

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.addons.catalog import catalog
from aiplatform.gateway import objects, routes
from aiplatform.gateway.args import GatewayBackend, GatewayMirror
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.gateway.example import ROUTE, settings


@cache
def _schemas(addon: str) -> Mapping[tuple[str, str], Any]:
    path = chart_facts.folder(addon, catalog()[addon].file_name)
    return {
        (definition["spec"]["names"]["kind"], version["name"]): version["schema"]["openAPIV3Schema"]
        for definition in chart_facts.definitions(path)
        for version in definition["spec"]["versions"]
        if version["served"]
    }


def check(kind: str, spec: Any, version: str = "v1alpha1", addon: str = "envoy-gateway-crds") -> None:
    """Check a spec by the schema of its kind, without the keys that it does not know, too."""
    _validator(kind, version, addon).validate(spec)


@cache
def _validator(kind: str, version: str, addon: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_closed(_schemas(addon)[kind, version]["properties"]["spec"]))


def _closed(node: Any) -> Any:
    """Return a schema that allows no further keys, as the API server prunes them."""
    if isinstance(node, list):
        return [_closed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items() if key not in ("format", "pattern")}
    if isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_object_of_envoy_fits_its_kind(cloud: str) -> None:
    full = settings(
        cloud,
        rate_limit={"requests": 100, "unit": "second"},
        routes={"classifier": {**ROUTE, "callers": ["search"], "mirror": {"service": "shadow"}}},
    )
    assert full.authentication is not None
    check("EnvoyProxy", objects.envoy_proxy(full, {}))
    check("ClientTrafficPolicy", objects.client_traffic(full))
    check("BackendTrafficPolicy", objects.backend_traffic(full))
    check("SecurityPolicy", objects.security(full, full.authentication))
    check("Gateway", objects.gateway(full), "v1", "gateway-api")
    check("GatewayClass", objects.gateway_class(), "v1", "gateway-api")
    check("HTTPRoute", routes.of_settings(full, "classifier")["spec"], "v1", "gateway-api")
    check("Certificate", objects.certificate(full), "v1", "cert-manager")


def test_a_key_that_a_kind_does_not_have_is_noticed() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check("Gateway", {**objects.gateway(settings()), "gatewayClass": "x"}, "v1", "gateway-api")


def test_the_only_listener_has_tls_and_takes_routes_of_teams_alone() -> None:
    [listener] = objects.gateway(settings())["listeners"]
    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["tls"]["mode"] == "Terminate"
    namespaces = listener["allowedRoutes"]["namespaces"]
    assert namespaces["from"] == "Selector"
    assert namespaces["selector"] == {"matchExpressions": [{"key": TEAM_LABEL, "operator": "Exists"}]}
    assert [kind["kind"] for kind in listener["allowedRoutes"]["kinds"]] == ["HTTPRoute"]


def test_a_token_allows_what_its_teams_own_and_nothing_else() -> None:
    gateway = settings(routes={"classifier": {**ROUTE, "callers": ["search"]}})
    assert gateway.authentication is not None
    authorization = objects.security(gateway, gateway.authentication)["authorization"]
    assert authorization["defaultAction"] == "Deny"
    allowed = [
        (rule["operation"]["path"]["value"], rule["principal"]["jwt"]["claims"][0]["values"])
        for rule in authorization["rules"]
    ]
    assert allowed == [
        ("/vision", ["vision"]),
        ("/search", ["search-users"]),
        ("/vision/classifier", ["search-users"]),
    ]
    assert {rule["action"] for rule in authorization["rules"]} == {"Allow"}
    [claim] = authorization["rules"][0]["principal"]["jwt"]["claims"]
    assert (claim["name"], claim["valueType"]) == ("groups", "StringArray")


def test_streams_are_not_cut_at_a_minute() -> None:
    gateway = settings()
    timeouts = objects.backend_traffic(gateway)["timeout"]["http"]
    assert timeouts == {"requestTimeout": "3600s", "streamIdleTimeout": "350s"}
    [rule] = routes.of_settings(gateway, "classifier")["spec"]["rules"]
    assert rule["timeouts"] == {"request": "3600s"}
    unlimited = settings(routes={"classifier": {**ROUTE, "timeout_seconds": 0}})
    [rule] = routes.of_settings(unlimited, "classifier")["spec"]["rules"]
    assert rule["timeouts"] == {"request": "0s"}, "0 is unlimited, and not that of the gateway"


def test_a_rate_limit_is_local_to_a_replica() -> None:
    limit = objects.backend_traffic(settings(rate_limit={"requests": 5}))["rateLimit"]
    assert limit == {"type": "Local", "local": {"rules": [{"limit": {"requests": 5, "unit": "Minute"}}]}}


def test_a_route_divides_its_path_by_weights() -> None:
    manifest = routes.of_settings(settings(), "classifier")
    assert manifest["metadata"]["namespace"] == "vision"
    [parent] = manifest["spec"]["parentRefs"]
    assert (parent["namespace"], parent["name"], parent["sectionName"]) == ("gateway", "ai-platform", "https")
    [rule] = manifest["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/vision/classifier"}}]
    assert [(ref["name"], ref["port"], ref["weight"]) for ref in rule["backendRefs"]] == [
        ("blue", 80, 90),
        ("green", 8080, 10),
    ]
    [rewrite] = rule["filters"]
    assert rewrite["urlRewrite"]["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}


def test_shadow_traffic_is_a_copy() -> None:
    gateway = settings(routes={"classifier": {**ROUTE, "mirror": {"service": "next", "percent": 20}}})
    [rule] = routes.of_settings(gateway, "classifier")["spec"]["rules"]
    mirror = rule["filters"][1]
    assert mirror["type"] == "RequestMirror"
    assert mirror["requestMirror"] == {
        "backendRef": {"group": "", "kind": "Service", "name": "next", "port": 80},
        "percent": 20,
    }


def test_the_template_of_a_service_moves_requests_from_blue_to_green() -> None:
    manifest = routes.service_route("chat", "search", "find", blue="chat-blue", green="chat-green")
    check("HTTPRoute", manifest["spec"], "v1", "gateway-api")
    [rule] = manifest["spec"]["rules"]
    assert rule["matches"][0]["path"]["value"] == "/search/chat"
    assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [
        ("chat-blue", 100),
        ("chat-green", 0),
    ]
    for patch, weight in zip(routes.weights(10), (90, 10), strict=True):
        index = int(patch["path"].split("/")[-2])
        assert patch["path"] == f"/spec/rules/0/backendRefs/{index}/weight"
        assert patch["value"] == weight
    with pytest.raises(ValueError, match="expected 0 to 100"):
        routes.weights(101)
    wrong = routes.ServiceRoute(
        "chat", "find", "/search/chat", [GatewayBackend("a", weight=90)], mirror=GatewayMirror("b")
    )
    with pytest.raises(ValueError, match="weights add up to 90"):
        routes.http_route(wrong)


def test_routes_of_gkes_gateways_have_policies_in_place_of_timeouts() -> None:
    gateway = settings(
        "gcp",
        gateway_class="gke",
        authentication=None,
        routes={"classifier": {**ROUTE, "timeout_seconds": 0, "health_path": "/healthz"}},
    )
    [rule] = routes.of_settings(gateway, "classifier")["spec"]["rules"]
    assert "timeouts" not in rule, "GKE refuses the route"
    policies = routes.backend_policies(gateway, "classifier")
    assert set(policies) == {"blue", "green"}
    assert policies["blue"]["GCPBackendPolicy"]["default"] == {"timeoutSec": 86_400}
    assert policies["blue"]["HealthCheckPolicy"]["default"]["config"]["httpHealthCheck"] == {
        "requestPath": "/healthz"
    }
    assert objects.gateway(gateway)["gatewayClassName"] == "gke-l7-rilb", "the internal one"


def test_envoy_takes_connections_until_no_load_balancer_sends_any_and_then_ends_what_runs() -> None:
    shutdown = objects.envoy_proxy(settings(), {})["shutdown"]
    least, most = (int(shutdown[key].rstrip("s")) for key in ("minDrainDuration", "drainTimeout"))
    assert least > 120, "a Network Load Balancer sends new connections for two minutes after a deregistration"
    assert most >= 2 * least, "streams go on for as long"
    assert most + 300 <= 600, "with what Envoy Gateway adds, a Pod's grace is what autoscalers wait"

"""Which routes and policies of Envoy Gateway teams create, on a real API server: routes below their path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aiplatform.gateway import Gateway
from aiplatform.gateway.args import GatewayBackend
from aiplatform.gateway.routes import ServiceRoute, http_route
from aiplatform.serving import llm_logs
from tests.components.aiplatform.gateway.example import arguments
from tests.components.recording import record
from tests.end_to_end.guardrails import ADMIN, Cluster, Object, control_plane_of, definition, until

pytestmark = pytest.mark.end_to_end

TEAM = "vision"
ROUTES = f"/apis/gateway.networking.k8s.io/v1/namespaces/{TEAM}/httproutes"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BELOW = "expected an HTTPRoute whose rules have paths below /TEAM/"
FINALIZER = "example.com/wait"
KINDS = (
    ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    ("gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes"),
    ("gateway.envoyproxy.io", "v1alpha1", "SecurityPolicy", "securitypolicies"),
    ("gateway.envoyproxy.io", "v1alpha1", "EnvoyExtensionPolicy", "envoyextensionpolicies"),
)


def route(path: str, name: str = "classifier") -> Object:
    """Return a route of the team."""
    backends = [GatewayBackend("classifier-predictor")]
    return json.loads(json.dumps(http_route(ServiceRoute(name, TEAM, path, backends))))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    args: Any = arguments()
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        for kind in KINDS:
            running.create(DEFINITIONS, definition(*kind))
        running.apply(record(lambda: Gateway("gateway", args)))
        for name, labels in ((TEAM, {"ai-platform/team": TEAM}), ("other", {})):
            running.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        assert until(lambda: create(running, route("/search", "first"))[0] == 403), "nothing is enforced"
        yield running


def create(cluster: Cluster, body: Object, place: str = ROUTES) -> tuple[int, str]:
    """Return status and body of a request that creates nothing."""
    status, text, _ = cluster.request("POST", f"{place}?dryRun=All", body, ADMIN)
    return status, text


def test_a_route_below_the_path_of_its_team_is_created(cluster: Cluster) -> None:
    for path in ("/vision", "/vision/classifier"):
        assert create(cluster, route(path))[0] == 201, path


@pytest.mark.parametrize("path", ["/search/chat", "/visions/classifier", "/"])
def test_a_route_with_requests_of_others_is_refused(cluster: Cluster, path: str) -> None:
    status, text = create(cluster, route(path))
    assert (status, BELOW in text) == (403, True), text


def test_a_route_by_a_pattern_and_one_of_another_kind_are_refused(cluster: Cluster) -> None:
    body = route("/vision/classifier")
    body["spec"]["rules"][0]["matches"][0]["path"] = {"type": "RegularExpression", "value": "/vision/.*"}
    assert create(cluster, body)[0] == 403
    place = ROUTES.replace("httproutes", "grpcroutes")
    assert create(cluster, {**route("/vision"), "kind": "GRPCRoute"}, place)[0] == 403


def test_a_policy_of_envoy_gateway_is_refused_in_the_namespace_of_a_team_alone(cluster: Cluster) -> None:
    policy: Object = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "SecurityPolicy",
        "metadata": {"name": "mine"},
        "spec": {},
    }
    place = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/{}/securitypolicies"
    status, text = create(cluster, policy, place.format(TEAM))
    assert (status, "would replace tokens and limits" in text) == (403, True), text
    assert create(cluster, policy, place.format("other"))[0] == 201


def test_copies_of_requests_are_the_only_extension_in_the_namespace_of_a_team(cluster: Cluster) -> None:
    place = f"/apis/gateway.envoyproxy.io/v1alpha1/namespaces/{TEAM}/envoyextensionpolicies"
    number = iter(range(100))

    def status(change: Callable[[Object], None]) -> int:
        policy = llm_logs.extension(TEAM, f"chat-{next(number)}", {})
        change(policy["spec"])
        return create(cluster, policy, place)[0]

    def copy(**values: Any) -> Callable[[Object], None]:
        return lambda spec: spec["extProc"][0].update(values)

    assert status(lambda spec: None) == 201
    assert status(copy(shadowMode=False)) == 403, "it could answer in the place of the gateway"
    assert status(copy(failOpen=False)) == 403, "without the processor nothing would be served"
    assert status(lambda spec: spec["extProc"][0].pop("shadowMode")) == 403
    assert status(lambda spec: spec["extProc"].append({"failOpen": True})) == 403, "each of them"
    assert status(lambda spec: spec.update(extProc=[])) == 403
    assert status(lambda spec: spec.update(lua=[{"type": "Inline", "inline": "x"}])) == 403
    assert status(lambda spec: spec.update(wasm=[{}])) == 403
    assert status(lambda spec: spec.update(targetSelectors=[{"kind": "Gateway"}])) == 403
    assert status(lambda spec: spec["targetRefs"][0].update(kind="Gateway")) == 403


def test_a_route_in_deletion_loses_its_finalizer_and_gets_no_requests_of_others(cluster: Cluster) -> None:
    body = route("/vision/classifier", "ends")
    body["metadata"]["finalizers"] = [FINALIZER]
    cluster.create(ROUTES, body)
    here = f"{ROUTES}/ends"
    assert cluster.request("DELETE", here)[0] == 200
    # It exists until its finalizer is removed, and Envoy Gateway serves it until then.
    rules = route("/search/chat")["spec"]["rules"]
    status, text, _ = cluster.request("PATCH", here, {"spec": {"rules": rules}})
    assert (status, BELOW in text) == (403, True), text
    assert cluster.request("PATCH", here, {"metadata": {"finalizers": []}})[0] == 200
    assert cluster.request("GET", here)[0] == 404

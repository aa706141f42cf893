"""What a gateway refuses, before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.gateway.example import ROUTE, TOKENS, settings

PUBLIC: dict[str, Any] = {"public": True, "issuer": "letsencrypt"}
GKE: dict[str, Any] = {"gateway_class": "gke", "authentication": None}


def refused(cloud: str = "aws", **more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        settings(cloud, **more)
    return [str(problem) for problem in error.value.problems]


def test_a_public_gateway_without_authentication_is_refused() -> None:
    [problem] = refused(**PUBLIC, authentication=None)
    assert "authentication: missing, and the gateway is public" in problem


def test_a_public_gateway_whose_certificate_no_client_trusts_is_refused() -> None:
    [problem] = refused(public=True)
    assert "issuer: got 'ai-platform-internal', whose authority no client outside trusts" in problem
    settings(**PUBLIC)


def test_a_public_gateway_of_gke_is_refused_since_it_checks_no_tokens() -> None:
    [problem] = refused("gcp", **GKE, **PUBLIC)
    assert "public: got true, and a gateway of GKE checks no tokens" in problem


@pytest.mark.parametrize(
    ("weights", "total"), [((90, 20), 110), ((50, 40), 90), ((0, 0), 0)], ids=["more", "less", "none"]
)
def test_weights_that_do_not_add_up_are_refused(weights: tuple[int, int], total: int) -> None:
    backends = [{"service": name, "weight": weight} for name, weight in zip("ab", weights, strict=True)]
    [problem] = refused(routes={"classifier": {"team": "vision", "backends": backends}})
    assert f"routes.classifier.backends: weights add up to {total}; expected 100" in problem


def test_two_services_with_one_host_and_path_are_refused() -> None:
    other = {**ROUTE, "path": "/vision/classifier"}
    [problem] = refused(routes={"classifier": ROUTE, "other": other})
    assert "routes.other: host models.acme.example and path /vision/classifier" in problem
    assert "routes.classifier" in problem
    hosts = ["a.example", "b.example"]
    one, two = ({**ROUTE, "path": "/vision/same", "hosts": [host]} for host in hosts)
    settings(hosts=hosts, routes={"one": one, "two": two})


def test_a_route_outside_its_teams_path_is_refused() -> None:
    [problem] = refused(routes={"classifier": {**ROUTE, "path": "/search/classifier"}})
    assert "expected one below /vision/" in problem
    [problem] = refused(routes={"classifier": {**ROUTE, "path": "/visions/classifier"}})
    assert "expected one below /vision/" in problem


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"team": "visoin"},
            "routes.classifier.team: got 'visoin', which is no team of `teams`; expected one of",
        ),
        ({"callers": ["absent"]}, "routes.classifier.callers[0]: got 'absent'"),
        ({"hosts": ["other.example"]}, "routes.classifier.hosts[0]: got 'other.example'"),
        ({"backends": [{"service": "a", "weight": 50}] * 2}, "backends[1]: duplicates backends[0]"),
        ({"path": "/vision/"}, "routes.classifier.path"),
        ({"health_path": "/healthz"}, "routes.classifier.health_path"),
    ],
)
def test_a_route_that_refers_to_nothing_is_refused(more: dict[str, Any], expected: str) -> None:
    assert any(expected in problem for problem in refused(routes={"classifier": {**ROUTE, **more}}))


def test_a_gateway_of_gke_exists_on_gke_alone_and_checks_nothing() -> None:
    assert any("gateway_class: got 'gke', which only GKE has" in problem for problem in refused(**GKE))
    problems = refused(
        "gcp",
        gateway_class="gke",
        rate_limit={"requests": 1},
        source_ranges=["10.0.0.0/8"],
        routes={"classifier": {**ROUTE, "callers": ["search"]}},
    )
    for key in ("authentication", "rate_limit", "source_ranges", "routes.classifier.callers"):
        assert any(f"GatewayArgs.{key}: a gateway of GKE" in problem for problem in problems), key


def test_a_health_path_is_of_gkes_gateways() -> None:
    routes = {"classifier": {**ROUTE, "health_path": "/healthz"}}
    [problem] = refused("gcp", routes=routes)
    assert "readiness probes of Pods decide with the class envoy" in problem
    settings("gcp", **GKE, routes=routes)


def test_tokens_without_teams_are_refused() -> None:
    [problem] = refused(teams=None, routes=None)
    assert "teams: missing, and a token allows what its teams own" in problem


def test_two_teams_with_one_namespace_are_refused() -> None:
    [problem] = refused(teams={"vision": {}, "search": {"namespace": "vision"}})
    assert "teams.search.namespace: got 'vision', which is the namespace of vision" in problem


PUBLIC_KEY = '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}'


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"jwks": PUBLIC_KEY}, "expected either jwks_uri or jwks"),
        ({"jwks_uri": None}, "expected either jwks_uri or jwks"),
        ({"jwks_uri": None, "jwks": "{}"}, "expected a JSON Web Key Set"),
        ({"jwks_uri": None, "jwks": '{"keys": []}'}, "expected a JSON Web Key Set"),
        ({"jwks_uri": None, "jwks": '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'}, "symmetric key"),
        ({"jwks_uri": None, "jwks": '{"keys": [{"kty": "RSA", "d": "c2VjcmV0"}]}'}, "private"),
        ({"issuer": "http://login.acme.example"}, "an address with https"),
    ],
)
def test_keys_of_an_issuer_have_one_source_and_are_public(more: dict[str, Any], expected: str) -> None:
    tokens = {key: value for key, value in {**TOKENS, **more}.items() if value is not None}
    assert any(expected in problem for problem in refused(authentication=tokens))


LONG = "https://login.acme.example/" + "a" * 240


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"audiences": [f"a{i}" for i in range(9)]}, "of length 9; expected 1 to 8 audiences"),
        ({"issuer": LONG}, "issuer"),
        ({"jwks_uri": LONG}, "jwks_uri"),
    ],
)
def test_tokens_that_envoy_gateways_definitions_refuse_are_refused_before(
    more: dict[str, Any], expected: str
) -> None:
    assert any(expected in problem for problem in refused(authentication={**TOKENS, **more}))


def test_more_hosts_than_a_route_may_have_are_refused() -> None:
    hosts = [f"h{i}.acme.example" for i in range(17)]
    problems = refused(hosts=hosts, routes={"classifier": {**ROUTE, "hosts": hosts}})
    assert any("of length 17; expected 0 to 16 hosts" in problem for problem in problems)
    settings(hosts=hosts)


def test_more_callers_than_a_rule_may_have_values_are_refused() -> None:
    others = {f"team-{i}": {"claims": [f"{i}-{j}" for j in range(50)]} for i in range(3)}
    routes = {"classifier": {**ROUTE, "callers": list(others)}}
    [problem] = refused(teams={"vision": {}, **others}, routes=routes)
    assert "routes.classifier.callers: they have 150 values of claims; expected at most 128" in problem


@pytest.mark.parametrize("path", ["/vision/../search", "/vision/.", "/vision/./a", "/vision/" + "a" * 1020])
def test_a_path_that_the_gateway_api_refuses_is_refused_before(path: str) -> None:
    assert any(
        "routes.classifier.path" in problem
        for problem in refused(routes={"classifier": {**ROUTE, "path": path}})
    )
    settings(routes={"classifier": {**ROUTE, "path": "/vision/v1.2/.well-known/..."}})


def test_public_keys_in_the_arguments_are_accepted() -> None:
    tokens = {**TOKENS, "jwks": PUBLIC_KEY}
    del tokens["jwks_uri"]
    settings(authentication=tokens)


def test_the_whole_internet_is_no_list_of_addresses() -> None:
    assert any("source_ranges" in problem for problem in refused(source_ranges=["0.0.0.0/0"]))


def test_two_routes_of_gke_to_one_service_state_the_same_of_it() -> None:
    one, two = {**ROUTE, "timeout_seconds": 60}, {**ROUTE, "path": "/vision/other", "timeout_seconds": 90}
    problems = refused("gcp", **GKE, routes={"one": one, "two": two})
    assert "routes.two: the service blue is a backend of routes.one, too, with another" in problems[0]
    settings("gcp", **GKE, routes={"one": one, "two": {**two, "timeout_seconds": 60}})
    settings("gcp", routes={"one": one, "two": two})


def test_ranges_of_proxies_are_of_gkes_gateways_and_needed_there() -> None:
    [problem] = refused("gcp", **GKE, proxy_ranges=None)
    assert "proxy_ranges: missing, and the network policies of teams refuse" in problem
    [problem] = refused("gcp", proxy_ranges=["10.0.176.0/23"])
    assert "proxy_ranges: got ['10.0.176.0/23'], and Envoy runs in Pods" in problem

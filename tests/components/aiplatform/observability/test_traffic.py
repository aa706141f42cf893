"""Connections to Prometheus."""

from __future__ import annotations

from aiplatform.addons.catalog import catalog
from aiplatform.observability import traffic
from aiplatform.serving import rollouts
from tests.components.aiplatform.observability.test_observability import ADDONS, POLICY, recorded

NAME = "observability-rollouts"


def test_rollouts_of_teams_ask_prometheus_where_there_is_a_gateway() -> None:
    addons = {**ADDONS, "envoy-gateway": catalog()["envoy-gateway"].version}
    spec = recorded(addons=addons).one(POLICY, NAME).inputs["spec"]
    assert spec["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
    [rule] = spec["ingress"]
    [peer] = rule["from"]
    assert peer["podSelector"] == {"matchLabels": {rollouts.POD: "true"}}
    [expression] = peer["namespaceSelector"]["matchExpressions"]
    assert (expression["key"], expression["operator"]) == ("ai-platform/team", "Exists")
    assert [port["port"] for port in rule["ports"]] == [9090]
    assert traffic.ROLLOUT == rollouts.POD


def test_named_namespaces_ask_prometheus_and_no_other_does() -> None:
    spec = (
        recorded(client_namespaces=["cost-control"])
        .one(POLICY, "observability-prometheus-clients")
        .inputs["spec"]
    )
    assert (spec["podSelector"], spec["policyTypes"]) == (
        {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        ["Ingress"],
    )
    [rule] = spec["ingress"]
    [peer] = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "cost-control"}
    assert [port["port"] for port in rule["ports"]] == [9090]
    assert "observability-prometheus-clients" not in {entry.name for entry in recorded().all(POLICY)}


def test_without_a_gateway_there_are_no_rollouts() -> None:
    assert NAME not in {entry.name for entry in recorded().all(POLICY)}

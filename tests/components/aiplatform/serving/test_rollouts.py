"""Rollouts: the WorkflowTemplate, the routes, and what its service account may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.serving import Serving, rollouts
from aiplatform.serving import rules as serving_rules
from tests.components.aiplatform.serving import example
from tests.components.recording import Recording, record

TEMPLATE = "kubernetes:argoproj.io/v1alpha1:WorkflowTemplate"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"


def serving(cloud: str = "aws", **more: Any) -> Recording:
    args: Any = {**example.arguments(cloud), **example.rollouts(**more)}
    return record(lambda: Serving("serving", args))


def templates(recording: Recording) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in recording.one(TEMPLATE).inputs["spec"]["templates"]}


def test_logical_names_are_a_contract() -> None:
    added = set(serving().names()) - set(
        record(lambda: Serving("serving", example.arguments())).names()  # pyright: ignore[reportArgumentType]
    )
    assert sorted(added) == [
        f"{TEMPLATE} serving-search-rollout",
        "kubernetes:core/v1:ConfigMap serving-search-serving-routes",
        "kubernetes:core/v1:ServiceAccount serving-search-rollouts",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy serving-search-rollout-traffic",
        f"{ROLE} serving-search-rollout-operators-role",
        f"{ROLE} serving-search-rollouts-role",
        f"{BINDING} serving-search-rollout-operators-members",
        f"{BINDING} serving-search-rollouts-members",
    ]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_template_is_a_step_of_others_and_a_workflow_by_itself(cloud: str) -> None:
    spec = serving(cloud).one(TEMPLATE).inputs["spec"]
    stated = {item["name"]: item.get("value") for item in spec["arguments"]["parameters"]}
    assert stated == {
        "service": None,
        "model_uri": None,
        "weights": "10,50,100",
        "step_minutes": "10",
        "max_error_rate": "0.01",
        "max_p95_ms": "1000",
        "min_requests": "20",
        "no_traffic": "back",
        "mirror_percent": "0",
        "ready_minutes": "60",
        "keep": "true",
    }
    main, roll, settle = spec["templates"]
    assert spec["entrypoint"] == main["name"] == "main"
    assert {item["name"]: item.get("default") for item in main["inputs"]["parameters"]} == stated
    assert [item["name"] for item in main["outputs"]["parameters"]] == ["result", "reason"]
    assert main["synchronization"] == {"mutexes": [{"name": "rollout-{{inputs.parameters.service}}"}]}
    [[step]] = main["steps"]
    assert step["hooks"]["exit"]["template"] == settle["name"]
    for template in (roll, settle):
        # Not those of the workflow, which may be another one's.
        assert template["serviceAccountName"] == "rollouts"
        assert {volume["name"] for volume in template["volumes"]} == {
            mount["name"] for mount in template["container"]["volumeMounts"]
        }
        assert template["archiveLocation"] == {"archiveLogs": False}, "it has no identity in the cloud"


def test_values_of_the_file_are_the_defaults() -> None:
    values = {
        "weights": [5, 100],
        "step_minutes": 3,
        "max_error_rate": 0.0,
        "no_traffic": "continue",
        "mirror_percent": 20,
        "keep": False,
    }
    spec = serving(**values).one(TEMPLATE).inputs["spec"]
    stated = {item["name"]: item.get("value") for item in spec["arguments"]["parameters"]}
    assert stated["weights"] == "5,100"
    assert (stated["step_minutes"], stated["max_error_rate"]) == ("3", "0")
    assert (stated["no_traffic"], stated["mirror_percent"], stated["keep"]) == ("continue", "20", "false")


def test_program_gets_each_parameter_and_is_run_again_unless_it_refused() -> None:
    roll = templates(serving())["roll"]
    arguments = roll["container"]["args"]
    assert arguments[:2] == ["roll", "--run={{workflow.uid}}"]
    assert "--model-uri={{inputs.parameters.model_uri}}" in arguments
    assert len(arguments) == 2 + len(roll["inputs"]["parameters"]) + 1
    assert roll["retryStrategy"]["expression"] == "asInt(lastRetry.exitCode) != 2"
    assert "maxDuration" not in roll["retryStrategy"]["backoff"], "it counts from the first start"
    environment = {entry["name"]: entry["value"] for entry in roll["container"]["env"]}
    assert environment["PROMETHEUS_URL"] == "http://prometheus.monitoring.svc:9090"
    assert (environment["NAMESPACE"], environment["SCRAPE_SECONDS"]) == ("search", "30")


def test_service_account_touches_inference_services_and_routes_of_services_only() -> None:
    allowed = {
        (rule["resources"][0], verb): rule.get("resourceNames")
        for rule in serving().one(ROLE, "serving-search-rollouts-role").inputs["rules"]
        for verb in rule["verbs"]
    }
    colors = ["chat-blue", "chat-green", "fares-blue", "fares-green"]
    assert allowed == {
        ("workflowtaskresults", "create"): None,
        ("workflowtaskresults", "patch"): None,
        ("serviceaccounts", "get"): ["serving"],
        ("inferenceservices", "create"): None,
        ("inferenceservices", "get"): colors,
        ("inferenceservices", "delete"): colors,
        ("httproutes", "create"): None,
        ("httproutes", "list"): None,
        ("httproutes", "get"): ["chat", "fares"],
        ("httproutes", "patch"): ["chat", "fares"],
    }
    [subject] = serving().one(BINDING, "serving-search-rollouts-members").inputs["subjects"]
    assert (subject["kind"], subject["name"], subject["namespace"]) == (
        "ServiceAccount",
        "rollouts",
        "search",
    )


def test_release_group_moves_routes_and_starts_rollouts() -> None:
    binding = serving().one(BINDING, "serving-search-rollout-operators-members").inputs
    assert [subject["name"] for subject in binding["subjects"]] == ["ai-platform:release"]
    rules = serving().one(ROLE, "serving-search-rollout-operators-role").inputs["rules"]
    assert {rule["resources"][0]: rule["verbs"] for rule in rules} == {
        "configmaps": ["get"],
        "inferenceservices": ["get"],
        "httproutes": ["get", "patch"],
        "workflows": ["create", "get"],
    }
    assert not [name for name in serving(operators=[]).names() if "operators" in name]


def test_route_has_a_backend_with_metrics_for_each_color() -> None:
    data = (
        serving(timeout_seconds=60)
        .one("kubernetes:core/v1:ConfigMap", "serving-search-serving-routes")
        .inputs["data"]
    )
    assert set(data) == {"chat", "fares"}
    route = json.loads(data["fares"])
    assert route["metadata"] == {
        "name": "fares",
        "namespace": "search",
        "labels": {"ai-platform/service": "fares"},
    }
    [rule] = route["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/search/fares"}}]
    assert rule["timeouts"] == {"request": "60s"}
    assert [entry["name"] for entry in rule["backendRefs"]] == [
        "fares-blue-predictor",
        "fares-green-predictor",
    ]
    assert all(entry["filters"] for entry in rule["backendRefs"]), "without, Envoy has one cluster for both"


def test_pods_reach_prometheus() -> None:
    policy = (
        serving()
        .one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "serving-search-rollout-traffic")
        .inputs
    )
    assert policy["spec"]["podSelector"] == {"matchLabels": {rollouts.POD: "true"}}
    [rule] = policy["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [9090]
    labels = templates(serving())["roll"]["metadata"]["labels"]
    assert labels[rollouts.POD] == "true"


def test_team_without_services_has_no_rollouts() -> None:
    args: Any = {**example.arguments(), **example.rollouts(), "teams": {"search": {}}}
    assert not record(lambda: Serving("serving", args)).all(TEMPLATE)


@pytest.mark.parametrize(
    ("stated", "path", "reason"),
    [
        ({"weights": [10, 50]}, "rollouts.weights", "expected percentages that rise to 100"),
        ({"weights": [50, 10, 100]}, "rollouts.weights", "expected percentages that rise to 100"),
        ({"weights": []}, "rollouts.weights", "expected percentages that rise to 100"),
        ({"weights": [0, 100]}, "rollouts.weights[0]", "1 to 100"),
        ({"max_error_rate": 1.5}, "rollouts.max_error_rate", "0 to 1"),
        ({"max_error_rate": -0.1}, "rollouts.max_error_rate", "0 to 1"),
        ({"step_minutes": 1}, "rollouts.step_minutes", "expected at least 2: 4 samples of Prometheus"),
        ({"mirror_percent": 101}, "rollouts.mirror_percent", "0 to 100"),
        ({"no_traffic": "wait"}, "rollouts.no_traffic", "back"),
        ({"image": "registry.example/platform/model-rollout:1"}, "rollouts.image", "digest"),
    ],
)
def test_rollouts_are_refused(stated: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        example.settings(**example.rollouts(**stated))
    matching = [problem for problem in refused.value.problems if problem.path == f"ServingArgs.{path}"]
    assert matching, refused.value.problems
    assert reason in matching[0].reason


def test_rollouts_without_prometheus_are_refused() -> None:
    with pytest.raises(ArgumentError, match="they go back by the gateway's metrics"):
        example.settings(**example.rollouts(), prometheus_url=None, teams={})


def test_samples_of_a_step_are_those_of_the_program() -> None:
    text = (example.ROOT / "containers/model_rollout/model_rollout/parameters.py").read_text()
    assert f"SCRAPES: Final = {serving_rules.SAMPLES}\n" in text

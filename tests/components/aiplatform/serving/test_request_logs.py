"""Requests and answers in a bucket: the agent in the Pod, its rights, and its traffic."""

from __future__ import annotations

import json
from string import Template
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform._shared.images import images
from aiplatform.serving import Serving, request_logs, templates
from aiplatform.serving.admission import rules
from tests.components.aiplatform.serving.example import arguments, settings
from tests.components.aiplatform.serving.test_definitions import check
from tests.components.recording import Recording, record

STORES: dict[str, dict[str, Any]] = {
    "aws": {"bucket": "acme-dev-model-monitor", "kms_key": "arn:aws:kms:eu-central-1:111122223333:key/logs"},
    "gcp": {"bucket": "acme-dev-model-monitor"},
}
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def logging(cloud: str, name: str = "fares", **log: Any) -> dict[str, Any]:
    """Arguments with a service that logs requests."""
    more = arguments(cloud)
    more["teams"]["search"]["services"][name]["request_log"] = log
    return {**more, "request_logs": STORES[cloud]}


def serving(cloud: str, **more: Any) -> Recording:
    args: Any = {**logging(cloud), **more}
    return record(lambda: Serving("serving", args))


def created(cloud: str = "aws", **more: Any) -> dict[str, Any]:
    """An InferenceService as a rollout creates it."""
    text = (
        serving(cloud, **more)
        .one("kubernetes:core/v1:ConfigMap", "serving-search-templates")
        .inputs["data"]["fares"]
    )
    return json.loads(Template(text).substitute(NAME="fares-blue", VERSION="7"))


def options(container: dict[str, Any]) -> dict[str, str]:
    return dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])


@pytest.mark.parametrize(("cloud", "scheme"), [("aws", "s3"), ("gcp", "gs")])
def test_the_agent_stores_records_with_the_release_that_answered(cloud: str, scheme: str) -> None:
    predictor = created(cloud)["spec"]["predictor"]
    uri = f"{scheme}://acme-dev-model-monitor/logs"
    assert predictor["logger"]["url"] == uri, "by it KServe leads requests to the agent"
    [agent] = predictor["containers"]
    assert agent["name"] == "agent", "KServe adds no second one"
    stated = options(agent)
    assert stated["log-url"] == uri
    assert stated["log-store-path"], "without a path KServe's agent stores nothing"
    assert stated["inference-service"] == "fares-blue"
    assert stated["namespace"] == "search"
    assert stated["metadata-annotations"] == "ai-platform/model=fares,ai-platform/release=7"
    assert created(cloud)["metadata"]["annotations"]["ai-platform/release"] == "7"


def test_the_client_of_the_bucket_has_the_identity_of_the_pod() -> None:
    def variables(cloud: str) -> dict[str, str]:
        [agent] = created(cloud)["spec"]["predictor"]["containers"]
        return {entry["name"]: entry["value"] for entry in agent["env"]}

    assert variables("aws")["AWS_REGION"], "no metadata service states it to Pods"
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in variables("aws")
    google = variables("gcp")
    assert google["GOOGLE_APPLICATION_CREDENTIALS"] == "", "absent, KServe's client signs nothing"
    probe = json.loads(google["SERVING_READINESS_PROBE"])
    assert probe["httpGet"] == {"path": "/v2/health/ready", "port": 8080, "scheme": "HTTP"}


def test_the_agent_meets_the_level_restricted_and_comes_from_a_mirror() -> None:
    [agent] = created(mirrors={"docker.io": "registry.acme.com/hub"})["spec"]["predictor"]["containers"]
    assert agent["image"].startswith("registry.acme.com/hub/kserve/agent:v0.20.0")
    assert images()[request_logs.IMAGE].tag == images()["kserve-controller"].tag, "one release of KServe"
    context = agent["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert set(agent["resources"]["limits"]) == {"cpu", "memory"}


def test_the_template_has_the_fields_of_its_definition() -> None:
    check(created(), templates.KIND, templates.API_VERSION)


def test_the_role_writes_below_its_namespace_and_reads_nothing_there() -> None:
    policy = json.loads(
        serving("aws").one("aws:iam/rolePolicy:RolePolicy", "serving-search-policy").inputs["policy"]
    )
    statements = {entry["Sid"]: entry for entry in policy["Statement"]}
    assert statements["RequestLogs"]["Action"] in ("s3:PutObject", ["s3:PutObject"])
    assert statements["RequestLogs"]["Resource"] == "arn:aws:s3:::acme-dev-model-monitor/logs/search/*"
    assert STORES["aws"]["kms_key"] == statements["UseKeyOfLogs"]["Resource"]
    readers = [entry["Resource"] for entry in policy["Statement"] if "s3:GetObject" in entry["Action"]]
    assert "model-monitor" not in str(readers)


def test_the_service_account_creates_objects_below_its_namespace() -> None:
    grant = (
        serving("gcp")
        .one("gcp:storage/bucketIAMMember:BucketIAMMember", "serving-search-request-logs")
        .inputs
    )
    assert grant["role"] == "roles/storage.objectCreator"
    assert 'objects/logs/search/")' in grant["condition"]["expression"]


def test_clients_reach_the_port_of_the_agent_where_a_service_has_one() -> None:
    def ports(**more: Any) -> set[int]:
        more |= {"client_namespaces": ["envoy-gateway-system"]}
        args: Any = {**arguments("aws"), **more}
        recording = record(lambda: Serving("serving", args))
        spec = recording.one(POLICY, "serving-search-clients").inputs["spec"]
        return {port["port"] for rule in spec["ingress"] for port in rule["ports"]}

    assert ports() == {8080}
    assert ports(**logging("aws")) == {8080, 9081}


def test_other_services_have_no_agent_and_their_role_no_right() -> None:
    recording = record(lambda: Serving("serving", arguments_with_store()))
    [template] = [
        json.loads(text)["spec"]["predictor"]
        for name, text in recording.one("kubernetes:core/v1:ConfigMap", "serving-search-templates")
        .inputs["data"]
        .items()
        if name == "fares"
    ]
    assert "logger" not in template
    assert "containers" not in template
    policy = recording.one("aws:iam/rolePolicy:RolePolicy", "serving-search-policy").inputs["policy"]
    assert "model-monitor" not in policy


def arguments_with_store() -> Any:
    return {**arguments("aws"), "request_logs": STORES["aws"]}


def test_a_policy_refuses_other_places_for_requests() -> None:
    [(expression, expected)] = [
        rule for rule in rules("s3://releases", "s3://logs/logs") if "logger" in rule[0]
    ]
    assert '"s3://logs/logs"' in expression or "'s3://logs/logs'" in expression
    assert "s3://logs/logs" in expected
    [(expression, _)] = [rule for rule in rules("s3://releases", "") if "logger" in rule[0]]
    assert expression == "!has(object.spec.predictor.logger)"


@pytest.mark.parametrize(
    ("args", "path", "reason"),
    [
        (logging("aws", "chat"), "teams.search.services.chat.request_log", "there is no `llm_logger`"),
        (
            {**logging("aws"), "request_logs": None},
            "teams.search.services.fares.request_log",
            "no `request_logs` to store them in",
        ),
        (
            {**logging("aws"), "request_logs": {"bucket": "b"}},
            "request_logs.kms_key",
            "expected the arn of the bucket's key",
        ),
        (logging("aws", mode="some"), "teams.search.services.fares.request_log.mode", "expected"),
        (logging("aws", batch_size=0), "teams.search.services.fares.request_log.batch_size", "expected 1 to"),
    ],
)
def test_a_wrong_log_is_refused(args: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        settings(**args)
    problems = {problem.path.partition(".")[2]: problem.reason for problem in refused.value.problems}
    assert list(problems) == [path], problems
    assert reason in problems[path]

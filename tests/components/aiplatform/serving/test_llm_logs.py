"""Requests to language models at the gateway: the logger of a team, its rights, and copies for it."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.gateway import routes
from aiplatform.serving import Serving, llm_logs
from aiplatform.serving.rollouts import COLORS
from aiplatform.serving.templates import RELEASE
from tests.components.aiplatform.gateway.test_objects import check
from tests.components.aiplatform.serving.example import DIGEST, ROOT, arguments, rollouts, settings
from tests.components.aiplatform.serving.test_request_logs import STORES
from tests.components.recording import Recording, record

IMAGE = f"registry.example/platform/llm-logger{DIGEST}"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
EXTENSION = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy"


def logging(cloud: str = "aws", log: Any = None, **more: Any) -> dict[str, Any]:
    """Arguments with a language model whose requests are measured."""
    args = {
        **arguments(cloud),
        **rollouts(),
        "request_logs": STORES[cloud],
        "client_namespaces": ["envoy-gateway-system", "monitoring"],
        "llm_logger": {"image": IMAGE},
        **more,
    }
    args["teams"]["search"]["services"]["chat"]["request_log"] = {} if log is None else log
    return {key: value for key, value in args.items() if value is not None}


def serving(cloud: str = "aws", log: Any = None, **more: Any) -> Recording:
    args: Any = logging(cloud, log, **more)
    return record(lambda: Serving("serving", args))


def file(recording: Recording) -> dict[str, Any]:
    data = recording.one("kubernetes:core/v1:ConfigMap", "serving-search-llm-logger-configuration").inputs[
        "data"
    ]
    return json.loads(data["logger.json"])


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_envoy_copies_requests_of_the_route_and_waits_for_nothing(cloud: str) -> None:
    policy = serving(cloud).one(EXTENSION).inputs
    assert policy["metadata"]["namespace"] == "search"
    spec = policy["spec"]
    check(llm_logs.KIND, spec)
    assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "chat"}]
    [copy] = spec["extProc"]
    assert copy["shadowMode"] is True, "Envoy sends and goes on"
    assert copy["failOpen"] is True, "without the logger requests are served"
    assert copy["processingMode"]["request"] == {"body": "Streamed"}
    assert copy["processingMode"]["response"]["body"] == "Streamed"
    assert copy["backendRefs"][0]["name"] == "llm-logger"


@pytest.mark.parametrize(("cloud", "scheme"), [("aws", "s3"), ("gcp", "gs")])
def test_the_logger_runs_restricted_in_the_namespace_and_the_quota_of_its_team(
    cloud: str, scheme: str
) -> None:
    recording = serving(cloud)
    deployment = recording.one(DEPLOYMENT).inputs
    labels = deployment["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "default"
    assert labels["kueue.x-k8s.io/priority-class"] == "serving"
    template = deployment["spec"]["template"]
    assert template["metadata"]["labels"]["ai-platform/scrape"] == "true", "Prometheus reads its metrics"
    pod = template["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    [container] = pod["containers"]
    assert container["image"] == IMAGE
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    assert variables["LOGS_URI"] == f"{scheme}://acme-dev-model-monitor/logs"
    assert variables["NAMESPACE"] == "search"
    assert ("AWS_REGION" in variables) is (cloud == "aws"), "no metadata service states it to Pods of EKS"
    assert {port["name"] for port in container["ports"]} == {"grpc", "metrics"}
    service = recording.one("kubernetes:core/v1:Service").inputs["spec"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()


def test_texts_are_off_unless_the_service_states_them() -> None:
    assert file(serving())["services"] == {
        "chat": {"batch_size": 100, "batch_seconds": 10, "payloads": False}
    }
    stated = file(serving(log={"payloads": True, "batch_seconds": 60}))["services"]["chat"]
    assert stated == {"batch_size": 100, "batch_seconds": 60, "payloads": True}


def test_a_change_of_the_file_replaces_the_pods() -> None:
    def annotations(**more: Any) -> Any:
        template = serving(**more).one(DEPLOYMENT).inputs["spec"]["template"]
        return template["metadata"]["annotations"]

    assert annotations() == annotations()
    assert annotations() != annotations(log={"payloads": True})


def test_openings_of_refusals_are_those_of_the_argument() -> None:
    assert "I'm sorry, but I can" in file(serving())["refusals"]
    stated = serving(llm_logger={"image": IMAGE, "refusals": ["Es tut mir leid"]})
    assert file(stated)["refusals"] == ["Es tut mir leid"]


def test_the_role_of_the_logger_writes_below_its_namespace_and_nothing_else() -> None:
    recording = serving()
    text = recording.one("aws:iam/rolePolicy:RolePolicy", "serving-search-llm-logger-policy").inputs["policy"]
    statements = {entry["Sid"]: entry for entry in json.loads(text)["Statement"]}
    assert set(statements) == {"RequestLogs", "UseKeyOfLogs"}
    assert statements["RequestLogs"]["Action"] in ("s3:PutObject", ["s3:PutObject"])
    assert statements["RequestLogs"]["Resource"] == "arn:aws:s3:::acme-dev-model-monitor/logs/search/*"
    association = recording.one(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation", "serving-search-llm-logger-identity"
    )
    assert association.inputs["serviceAccount"] == "llm-logger"
    assert association.urn in recording.one(DEPLOYMENT).depends_on
    predictors = recording.one("aws:iam/rolePolicy:RolePolicy", "serving-search-policy").inputs["policy"]
    assert "model-monitor" not in predictors, "servers of language models store nothing"


def test_the_service_account_of_the_logger_creates_objects_below_its_namespace() -> None:
    recording = serving("gcp")
    grant = recording.one(
        "gcp:storage/bucketIAMMember:BucketIAMMember", "serving-search-llm-logger-request-logs"
    ).inputs
    assert grant["role"] == "roles/storage.objectCreator"
    assert 'objects/logs/search/")' in grant["condition"]["expression"]
    assert grant["member"].endswith("/subject/ns/search/sa/llm-logger")
    assert not [
        entry
        for entry in recording.all("gcp:storage/bucketIAMMember:BucketIAMMember")
        if entry.name == "serving-search-request-logs"
    ], "servers of language models store nothing"


def test_the_logger_reads_which_release_its_services_serve() -> None:
    [rule] = (
        serving()
        .one("kubernetes:rbac.authorization.k8s.io/v1:Role", "serving-search-llm-logger-role")
        .inputs["rules"]
    )
    assert rule == {
        "apiGroups": ["serving.kserve.io"],
        "resources": ["inferenceservices"],
        "resourceNames": ["chat-blue", "chat-green"],
        "verbs": ["get"],
    }


def test_envoy_and_prometheus_reach_the_logger() -> None:
    spec = (
        serving()
        .one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "serving-search-llm-logger-traffic")
        .inputs["spec"]
    )
    assert spec["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "llm-logger"}}
    assert {port["port"] for rule in spec["ingress"] for port in rule["ports"]} == {50051, 9090}
    namespaces = {
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in spec["ingress"]
        for peer in rule["from"]
    }
    assert namespaces == {"envoy-gateway-system", "monitoring"}


def test_the_template_of_the_service_is_the_same_as_without() -> None:
    def template(recording: Recording) -> str:
        return recording.one("kubernetes:core/v1:ConfigMap", "serving-search-templates").inputs["data"][
            "chat"
        ]

    args: Any = {**arguments("aws"), **rollouts()}
    assert template(serving()) == template(record(lambda: Serving("serving", args))), "no rollout is needed"


def test_without_a_language_model_that_logs_there_is_no_logger() -> None:
    args: Any = logging()
    del args["teams"]["search"]["services"]["chat"]["request_log"]
    args["teams"]["search"]["services"]["fares"]["request_log"] = {}
    recording = record(lambda: Serving("serving", args))
    assert not recording.all(DEPLOYMENT)
    assert not recording.all(EXTENSION)


_CHAT = "teams.search.services.chat.request_log"


@pytest.mark.parametrize(
    ("args", "path", "reason"),
    [
        (logging(llm_logger=None), _CHAT, "no `llm_logger`"),
        (logging(rollouts=None), _CHAT, "no `rollouts`"),
        (logging(client_namespaces=None), _CHAT, "no `client_namespaces`"),
        (logging(request_logs=None), _CHAT, "no `request_logs`"),
        (logging(log={"mode": "request"}), f"{_CHAT}.mode", "expected all"),
        (logging(llm_logger={"image": "llm-logger:1"}), "llm_logger.image", "with its digest"),
        (logging(llm_logger={"image": IMAGE, "replicas": 0}), "llm_logger.replicas", "expected 1 to 20"),
        (
            logging(llm_logger={"image": IMAGE, "refusals": ["I"]}),
            "llm_logger.refusals[0]",
            "expected 3 to 100",
        ),
    ],
)
def test_a_logger_that_cannot_work_is_refused(args: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        settings(**args)
    problems = {problem.path.partition(".")[2]: problem.reason for problem in refused.value.problems}
    assert list(problems) == [path], problems
    assert reason in problems[path]


def test_texts_of_another_server_are_refused() -> None:
    args = logging()
    args["teams"]["search"]["services"]["fares"]["request_log"] = {"payloads": True}
    with pytest.raises(ArgumentError, match="only requests to vLLM are measured"):
        settings(**args)


def test_columns_and_paths_are_those_of_the_program() -> None:
    folder = ROOT / "containers" / "llm_logger" / "llm_logger"

    def constant(module: str, name: str) -> Any:
        for node in ast.parse((folder / f"{module}.py").read_text()).body:
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and node.target.id == name
            ):
                assert node.value is not None
                return ast.literal_eval(node.value)
        raise AssertionError(f"{module} has no {name}")

    assert set(constant("exchange", "COLUMNS")) == set(llm_logs.COLUMNS)
    assert constant("exchange", "TEXTS") == llm_logs.TEXTS
    assert constant("configuration", "FILE") == f"{llm_logs.FOLDER}/{llm_logs.FILE}"
    assert constant("exchange", "SERVED_BY") == routes.SERVED_BY
    assert constant("processor", "DETAILS") == llm_logs.DETAILS
    assert constant("configuration", "COLORS") == tuple(f"-{color}" for color in COLORS)
    assert (
        constant("__main__", "GRACE_SECONDS") + constant("__main__", "STORE_SECONDS") < llm_logs.END_SECONDS
    )
    assert constant("records", "RELEASE") == RELEASE

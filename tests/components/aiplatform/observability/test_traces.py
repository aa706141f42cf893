"""The collection of traces: the OpenTelemetry collector, its permissions and its configuration."""

import json
from typing import Any, Final

import pytest
import yaml
from pulumi_kubernetes.core import v1 as core

from aiplatform._shared.args import ArgumentError, read
from aiplatform._shared.context import Context
from aiplatform._shared.images import images
from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.observability import traces
from aiplatform.observability.collectors import Settings
from aiplatform.observability.traces import Traces
from tests.components.aiplatform.observability.example import recorded
from tests.components.recording import Recording
from tests.inventories import google_grants
from tests.inventories.aws_policies import documents, errors

CLOUDS: Final = ("aws", "gcp")
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1"


def built(cloud: str, *, monitored: bool = False, settings: Any = None, **arguments: Any) -> Recording:
    def build(context: Context[Settings]) -> None:
        checked = read(Traces, arguments, "TracesArgs")
        kinds = [core.ConfigMap("kinds")] if monitored else None
        traces.create(context, checked, kinds)

    return recorded(cloud, build, **(settings or {}))


def configured(recording: Recording) -> Any:
    return yaml.safe_load(recording.one("kubernetes:core/v1:ConfigMap").inputs["data"]["config.yaml"])


def pod(recording: Recording) -> Any:
    return recording.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


OBJECTS: Final = [
    "kubernetes:apps/v1:Deployment monitoring-traces-deployment",
    "kubernetes:core/v1:ConfigMap monitoring-traces-configuration",
    "kubernetes:core/v1:Namespace monitoring-traces-namespace",
    "kubernetes:core/v1:ResourceQuota monitoring-traces-critical-pods",
    "kubernetes:core/v1:Service monitoring-traces-service",
    "kubernetes:core/v1:ServiceAccount monitoring-traces-service-account",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy monitoring-traces-collector-network-policy",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy monitoring-traces-default-deny",
    f"{_RBAC}:ClusterRole monitoring-traces-cluster-role",
    f"{_RBAC}:ClusterRoleBinding monitoring-traces-cluster-role-binding",
]


def test_the_logical_names_on_aws_are_a_contract() -> None:
    assert built("aws").names() == [
        "aws:eks/podIdentityAssociation:PodIdentityAssociation monitoring-collector-identity",
        "aws:iam/role:Role monitoring-collector-role",
        "aws:iam/rolePolicy:RolePolicy monitoring-collector-policy",
        *OBJECTS,
        "test:index:Monitoring monitoring",
    ]


def test_the_logical_names_on_google_cloud_are_a_contract() -> None:
    assert built("gcp").names() == [
        "gcp:projects/iAMMember:IAMMember monitoring-collector-writes",
        "gcp:projects/service:Service monitoring-collector-api-cloudresourcemanager",
        "gcp:projects/service:Service monitoring-collector-api-cloudtrace",
        "gcp:projects/service:Service monitoring-collector-api-iam",
        *OBJECTS,
        "test:index:Monitoring monitoring",
    ]


def test_the_role_on_aws_writes_segments_and_nothing_else() -> None:
    recording = built("aws")
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    assert [entry["Action"] for entry in policy["Statement"]] == [["xray:PutTraceSegments"]]
    assert [error for document in documents(recording) for error in errors(document)] == []


def test_the_grant_on_google_cloud_writes_spans_and_nothing_else() -> None:
    recording = built("gcp")
    grant = recording.one("gcp:projects/iAMMember:IAMMember")
    assert grant.inputs["role"] == "roles/cloudtrace.agent"
    assert grant.inputs["member"].endswith("/subject/ns/tracing/sa/collector")
    assert list(google_grants.errors(recording)) == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_it_is_restricted_on_the_system_nodes(cloud: str) -> None:
    recording = built(cloud)
    labels = recording.one("kubernetes:core/v1:Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    spec = pod(recording)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert {entry["key"] for entry in spec["tolerations"]} == {
        "CriticalAddonsOnly",
        "components.gke.io/gke-managed-components",
    }
    quota = recording.one("kubernetes:core/v1:ResourceQuota").inputs["spec"]["scopeSelector"]
    assert quota["matchExpressions"][0]["values"] == [spec["priorityClassName"]], (
        "GKE admits critical Pods only where a quota covers them"
    )


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_pods_start_after_their_permissions(cloud: str) -> None:
    recording = built(cloud)
    kinds = {"aws": "aws:eks/podIdentityAssociation:PodIdentityAssociation"}
    kinds["gcp"] = "gcp:projects/iAMMember:IAMMember"
    assert recording.depends(recording.one(DEPLOYMENT), recording.one(kinds[cloud]))


def test_pods_send_traces_to_the_address_of_its_service() -> None:
    recording = built("aws")
    service = recording.one("kubernetes:core/v1:Service").inputs
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    ports = {port["name"]: int(port["port"]) for port in service["spec"]["ports"]}
    host = f"http://{name}.{namespace}.svc.cluster.local"
    expected = {f"{host}:{ports['otlp-grpc']}", f"{host}:{ports['otlp-http']}"}
    assert {traces.OTLP_GRPC, traces.OTLP_HTTP} == expected
    policies = recording.all("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    allowed = {
        port["port"]
        for policy in policies
        for rule in policy.inputs["spec"].get("ingress", [])
        for port in rule["ports"]
    }
    assert allowed == {4317, 4318, 8888}
    protocols = configured(recording)["receivers"]["otlp"]["protocols"]
    assert {entry["endpoint"] for entry in protocols.values()} == {"0.0.0.0:4317", "0.0.0.0:4318"}


def test_a_share_of_traces_is_kept_by_default() -> None:
    content = configured(built("aws", sampled_percent=2.5, replicas=3))
    assert content["processors"]["probabilistic_sampler"] == {"sampling_percentage": 2.5}
    assert "tail_sampling" not in content["processors"]


def test_traces_with_errors_and_slow_ones_are_kept_where_it_is_stated() -> None:
    content = configured(built("aws", keep_errors=True, keep_slower_than_ms=2000))
    policies = {entry["type"]: entry for entry in content["processors"]["tail_sampling"]["policies"]}
    assert policies["status_code"]["status_code"] == {"status_codes": ["ERROR"]}
    assert policies["latency"]["latency"] == {"threshold_ms": 2000}
    assert policies["probabilistic"]["probabilistic"] == {"sampling_percentage": 10}
    assert "probabilistic_sampler" not in content["processors"], "it would drop spans of kept traces"


@pytest.mark.parametrize("keep", [{"keep_errors": True}, {"keep_slower_than_ms": 500}])
def test_a_late_decision_with_several_replicas_is_refused(keep: dict[str, Any]) -> None:
    (problem,) = read(Traces, {**keep, "replicas": 2}, "TracesArgs").problems("traces")
    assert str(problem).startswith(f"traces.replicas: got 2 with `{next(iter(keep))}`")
    assert not list(read(Traces, {"replicas": 2}, "TracesArgs").problems("traces"))


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("keep_errors", [False, True])
def test_metadata_and_masks_come_before_sampling_and_after_the_limit_of_memory(
    cloud: str, *, keep_errors: bool
) -> None:
    content = configured(built(cloud, keep_errors=keep_errors))
    pipeline = content["service"]["pipelines"]["traces"]
    sampling = "tail_sampling" if keep_errors else "probabilistic_sampler"
    assert pipeline["processors"] == ["memory_limiter", "k8s_attributes", "redaction", sampling, "batch"], (
        "the address of the Pod is gone after the sampler"
    )
    assert pipeline["exporters"] == list(content["exporters"])


def test_the_team_of_a_trace_is_that_of_its_namespace() -> None:
    content = configured(built("aws"))["processors"]["k8s_attributes"]
    (label,) = content["extract"]["labels"]
    assert (label["key"], label["from"]) == (TEAM_LABEL, "namespace")
    assert content["pod_association"] == [{"sources": [{"from": "connection"}]}], (
        "what a Pod states of itself is no evidence"
    )


def test_secrets_are_masked_by_key_and_by_form() -> None:
    masks = configured(built("gcp"))["processors"]["redaction"]
    assert masks["allow_all_keys"] is True, "else all attributes would be removed"
    assert any("api[_.-]?key" in expression for expression in masks["blocked_key_patterns"])
    assert any("ghp" in expression or "gh[pousr]" in expression for expression in masks["blocked_values"])


def test_a_budget_exists_only_where_a_drain_can_respect_it() -> None:
    budget = "kubernetes:policy/v1:PodDisruptionBudget"
    assert built("aws", replicas=2).one(budget).inputs["spec"]["maxUnavailable"] == 1
    assert not built("aws").all(budget)


def test_the_image_has_a_digest_and_comes_from_its_mirror() -> None:
    recording = built("aws", settings={"mirrors": {"docker.io": "mirror.example/hub"}})
    image = images()["opentelemetry-collector"]
    assert image.digest
    expected = f"mirror.example/hub/otel/opentelemetry-collector-contrib{image.version}"
    assert pod(recording)["containers"][0]["image"] == expected


def test_prometheus_finds_its_pods_where_the_kinds_exist() -> None:
    monitor = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
    recording = built("aws", monitored=True)
    assert recording.one(monitor).inputs["metadata"]["namespace"] == "tracing"
    assert recording.depends(recording.one(monitor), recording.named("kinds"))
    assert not built("aws").all(monitor)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sampled_percent": 0}, r"sampled_percent: got 0; expected 0\.01 to 100 percent"),
        ({"sampled_percent": 101}, r"sampled_percent: got 101; expected 0\.01 to 100 percent"),
        ({"replicas": 0}, r"replicas: got 0; expected 1 to 10"),
        ({"keep_slower_than_ms": 0}, r"keep_slower_than_ms: got 0; expected 1 to 3600000 ms"),
        ({"sampled": 3}, r"unknown key.*sampled_percent"),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read(Traces, arguments, "TracesArgs")

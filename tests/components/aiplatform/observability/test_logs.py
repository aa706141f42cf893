"""The collection of logs: Fluent Bit, its permissions, and the store in the cloud."""

import json
from typing import Any, Final

import pytest
import yaml
from pulumi_kubernetes.core import v1 as core

from aiplatform._shared.args import ArgumentError, Problem, read
from aiplatform._shared.context import Context
from aiplatform._shared.images import images
from aiplatform.naming import prefix_for
from aiplatform.observability import logs
from aiplatform.observability.collectors import NAMES, Settings
from aiplatform.observability.logs import Logs
from aiplatform.observability.logs.configuration import configuration
from tests.components.aiplatform.observability.example import recorded
from tests.components.recording import ACCOUNT, REGION, Recording
from tests.inventories import google_grants
from tests.inventories.aws_policies import documents, errors

CLOUDS: Final = ("aws", "gcp")
DAEMON_SET: Final = "kubernetes:apps/v1:DaemonSet"


def built(cloud: str, *, monitored: bool = False, settings: Any = None, **arguments: Any) -> Recording:
    def build(context: Context[Settings]) -> None:
        kinds = [core.ConfigMap("kinds")] if monitored else None
        logs.create(context, read(Logs, arguments, "LogsArgs"), kinds)

    return recorded(cloud, build, **(settings or {}))


def files(recording: Recording) -> dict[str, str]:
    return recording.one("kubernetes:core/v1:ConfigMap").inputs["data"]


def configured(recording: Recording) -> Any:
    return yaml.safe_load(files(recording)["fluent-bit.yaml"])


def pod(recording: Recording) -> Any:
    return recording.one(DAEMON_SET).inputs["spec"]["template"]["spec"]


_RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1"
OBJECTS: Final = [
    "kubernetes:apps/v1:DaemonSet monitoring-container-logs-daemon-set",
    "kubernetes:core/v1:ConfigMap monitoring-container-logs-configuration",
    "kubernetes:core/v1:ServiceAccount monitoring-container-logs-service-account",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy monitoring-container-logs-network-policy",
    f"{_RBAC}:ClusterRole monitoring-container-logs-cluster-role",
    f"{_RBAC}:ClusterRoleBinding monitoring-container-logs-cluster-role-binding",
]


def test_the_logical_names_on_aws_are_a_contract() -> None:
    assert built("aws").names() == [
        "aws:cloudwatch/logGroup:LogGroup monitoring-container-logs",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation monitoring-container-logs-identity",
        "aws:iam/role:Role monitoring-container-logs-role",
        "aws:iam/rolePolicy:RolePolicy monitoring-container-logs-policy",
        "aws:kms/alias:Alias monitoring-container-logs-key",
        "aws:kms/key:Key monitoring-container-logs-key",
        *OBJECTS,
        "test:index:Monitoring monitoring",
    ]


def test_the_logical_names_on_google_cloud_are_a_contract() -> None:
    apis = ("cloudkms", "cloudresourcemanager", "iam", "logging")
    assert built("gcp").names() == [
        "gcp:kms/cryptoKey:CryptoKey monitoring-container-logs-key",
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember monitoring-container-logs-key",
        "gcp:kms/keyRing:KeyRing monitoring-container-logs-keys",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig monitoring-container-logs",
        "gcp:logging/projectExclusion:ProjectExclusion monitoring-container-logs",
        "gcp:logging/projectSink:ProjectSink monitoring-container-logs",
        "gcp:projects/iAMMember:IAMMember monitoring-container-logs-writes",
        *(f"gcp:projects/service:Service monitoring-container-logs-api-{api}" for api in apis),
        *OBJECTS,
        "test:index:Monitoring monitoring",
    ]


def test_the_role_on_aws_writes_to_its_log_group_and_nothing_else() -> None:
    recording = built("aws")
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ai-platform/acme-dev/containers"
    assert [(entry["Action"], entry["Resource"]) for entry in policy["Statement"]] == [
        (["logs:CreateLogStream"], f"{group}:*"),
        (["logs:PutLogEvents"], f"{group}:log-stream:*"),
    ]
    assert [error for document in documents(recording) for error in errors(document)] == []


def test_the_grant_on_google_cloud_writes_entries_and_nothing_else() -> None:
    recording = built("gcp")
    grant = recording.one("gcp:projects/iAMMember:IAMMember")
    assert grant.inputs["role"] == "roles/logging.logWriter"
    assert grant.inputs["member"].endswith("/acme-dev.svc.id.goog/subject/ns/kube-system/sa/container-logs")
    assert list(google_grants.errors(recording)) == []


def test_the_store_on_aws_is_encrypted_by_a_key_for_it_alone() -> None:
    recording = built("aws", retention_days=90)
    group = recording.one("aws:cloudwatch/logGroup:LogGroup")
    key = recording.one("aws:kms/key:Key")
    assert group.inputs["name"] == "/ai-platform/acme-dev/containers"
    assert group.inputs["retentionInDays"] == 90
    assert recording.depends(group, key)
    condition = json.loads(key.inputs["policy"])["Statement"][-1]["Condition"]["ArnEquals"]
    assert condition["kms:EncryptionContext:aws:logs:arn"].endswith(":/ai-platform/acme-dev/containers")


def test_the_store_on_google_cloud_takes_the_containers_of_this_cluster() -> None:
    recording = built("gcp", retention_days=400)
    bucket = recording.one("gcp:logging/projectBucketConfig:ProjectBucketConfig")
    assert bucket.inputs["retentionDays"] == 400
    assert bucket.inputs["cmekSettings"], "it has a separate key"
    sink = recording.one("gcp:logging/projectSink:ProjectSink")
    exclusion = recording.one("gcp:logging/projectExclusion:ProjectExclusion")
    assert sink.inputs["filter"] == exclusion.inputs["filter"], "no entry is stored and paid twice"
    for part in ("k8s_container", '"acme-dev-cluster"', '"europe-west4-a"'):
        assert part in sink.inputs["filter"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_logs_stay_with_their_key_where_data_is_retained(cloud: str) -> None:
    recording = built(cloud, settings={"retain_data": True})
    stores = {"aws": ("aws:cloudwatch/logGroup:LogGroup", "aws:kms/key:Key")}
    stores["gcp"] = ("gcp:logging/projectBucketConfig:ProjectBucketConfig", "gcp:kms/cryptoKey:CryptoKey")
    assert all(recording.one(kind).retain_on_delete for kind in stores[cloud])
    assert not any(built(cloud).one(kind).retain_on_delete for kind in stores[cloud])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_it_runs_on_every_node_whatever_the_taints(cloud: str) -> None:
    spec = pod(built(cloud))
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert spec["priorityClassName"] == "system-node-critical"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_pods_have_no_more_of_the_node_than_files_of_logs_and_their_state(cloud: str) -> None:
    spec = pod(built(cloud))
    paths = {volume["hostPath"]["path"]: volume["name"] for volume in spec["volumes"] if "hostPath" in volume}
    assert set(paths) == {"/var/log", "/var/lib/ai-platform/container-logs"}
    (container,) = spec["containers"]
    writable = {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"state"}, "it reads the logs of others and changes none"
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert not spec.get("hostNetwork")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_it_reads_pods_and_namespaces_one_at_a_time_and_nothing_else(cloud: str) -> None:
    (rule,) = built(cloud).one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"]
    assert rule == {"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["get"]}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_pods_start_after_their_permissions(cloud: str) -> None:
    recording = built(cloud)
    pods = recording.one(DAEMON_SET)
    kinds = {"aws": "aws:eks/podIdentityAssociation:PodIdentityAssociation"}
    kinds["gcp"] = "gcp:projects/iAMMember:IAMMember"
    assert recording.depends(pods, recording.one(kinds[cloud])), "a Pod gets credentials only when it starts"
    stores = {"aws": "aws:cloudwatch/logGroup:LogGroup"}
    stores["gcp"] = "gcp:logging/projectExclusion:ProjectExclusion"
    assert recording.depends(pods, recording.one(stores[cloud])), "the first logs have a store"


def test_its_pods_reach_names_the_apis_and_credentials_alone() -> None:
    for cloud in CLOUDS:
        policy = built(cloud).one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs["spec"]
        assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "container-logs"}
        ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
        assert ports <= {53, 80, 443, 988}
        assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [2020]


def test_a_changed_configuration_replaces_the_pods() -> None:
    def digest(**arguments: Any) -> str:
        template = built("aws", **arguments).one(DAEMON_SET).inputs["spec"]["template"]
        return template["metadata"]["annotations"]["ai-platform/configuration"]

    assert digest() == digest()
    assert digest() != digest(secret_keys=["card_number"]), "they read it only when they start"


def test_the_image_comes_from_its_mirror_with_its_digest() -> None:
    recording = built("aws", settings={"mirrors": {"cr.fluentbit.io": "mirror.example/fb"}})
    image = images()["fluent-bit"]
    expected = f"mirror.example/fb/fluent/fluent-bit{image.version}"
    assert pod(recording)["containers"][0]["image"] == expected
    assert image.digest


def test_prometheus_finds_its_pods_where_the_kinds_exist() -> None:
    monitor = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
    recording = built("aws", monitored=True)
    assert recording.depends(recording.one(monitor), recording.named("kinds"))
    endpoint = recording.one(monitor).inputs["spec"]["podMetricsEndpoints"][0]
    assert endpoint["path"] == "/api/v2/metrics/prometheus"
    names = [port["name"] for port in pod(built("aws"))["containers"][0]["ports"]]
    assert endpoint["port"] in names
    assert not built("aws").all(monitor), "without the operator the API server would refuse it"


def test_the_output_of_aws_creates_no_log_group() -> None:
    (output,) = configured(built("aws", buffer_mib=256))["pipeline"]["outputs"]
    assert output["name"] == "cloudwatch_logs"
    assert output["auto_create_group"] == "off", "a new group would have no key and keep its logs for ever"
    assert output["log_group_name"] == "/ai-platform/acme-dev/containers"
    assert output["region"] == REGION
    assert output["storage.total_limit_size"] == "256M"
    assert output["retry_limit"] == "no_limits", "by default a chunk is dropped after its second failure"


def test_the_output_of_google_cloud_names_the_cluster_as_its_agent_does() -> None:
    (output,) = configured(built("gcp"))["pipeline"]["outputs"]
    assert output["resource"] == "k8s_container"
    assert output["k8s_cluster_name"] == "acme-dev-cluster"
    assert output["k8s_cluster_location"] == "europe-west4-a", "of a zonal cluster that is its zone"
    assert output["export_to_project_id"] == "acme-dev"
    (source,) = configured(built("gcp"))["pipeline"]["inputs"]
    assert output["tag_prefix"].startswith(source["tag"].removesuffix("*")), "Pods are read from the tag"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_secrets_are_removed_after_metadata_and_before_the_output(cloud: str) -> None:
    pipeline = configured(built(cloud))["pipeline"]
    assert [entry["name"] for entry in pipeline["filters"]] == ["multiline", "kubernetes", "lua"], (
        "lines of a message come first: the filter gives messages to the beginning of the pipeline"
    )
    script = pipeline["filters"][-1]
    assert script["script"].rpartition("/")[2] in files(built(cloud))
    assert f"function {script['call']}(" in files(built(cloud))["redaction.lua"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_pod_decides_about_its_logs_or_their_metadata(cloud: str) -> None:
    metadata = configured(built(cloud))["pipeline"]["filters"][1]
    assert metadata["k8s-logging.exclude"] == "off"
    assert metadata["k8s-logging.parser"] == "off"
    assert metadata["annotations"] == "off", "they contain whole objects"
    assert metadata["merge_log_key"], "else a structured log could have its own `kubernetes`"


def test_nothing_is_collected_twice_or_for_ever() -> None:
    (files_of_gke,) = configured(built("gcp"))["pipeline"]["inputs"]
    assert "/var/log/containers/*_kube-system_*.log" in files_of_gke["exclude_path"].split(","), (
        "GKE's agent collects the logs of the system"
    )
    (files_of_eks,) = configured(built("aws"))["pipeline"]["inputs"]
    assert files_of_eks["exclude_path"] == "/var/log/containers/container-logs-*_kube-system_*.log", (
        "a message about a refused record would be the next record"
    )


def test_logs_of_an_excluded_namespace_are_not_read() -> None:
    (source,) = configured(built("aws", excluded_namespaces=["noisy"]))["pipeline"]["inputs"]
    assert "/var/log/containers/*_noisy_*.log" in source["exclude_path"].split(",")


def test_what_waits_is_on_disk_and_limited() -> None:
    content = configuration("aws", {"name": "x"}, buffer_mib=64, excluded_namespaces=[])
    assert content["service"]["storage.path"].startswith("/var/lib/fluent-bit/")
    (source,) = content["pipeline"]["inputs"]
    assert source["storage.type"] == "filesystem"
    assert source["db"].startswith("/var/lib/fluent-bit/"), "a new Pod goes on where the former one was"
    assert content["pipeline"]["filters"][0]["emitter_storage.type"] == "filesystem"
    assert content["service"]["grace"] < pod(built("aws"))["terminationGracePeriodSeconds"]


def problems(cloud: Any, **arguments: Any) -> list[Problem]:
    return list(read(Logs, arguments, "LogsArgs").problems(cloud, None, "logs"))


def test_a_retention_that_the_cloud_does_not_have_is_refused() -> None:
    (problem,) = problems("aws", retention_days=45)
    assert "logs.retention_days: got 45" in str(problem)
    assert "30 is the nearest" in str(problem)
    assert problems("gcp", retention_days=45) == []
    assert "expected 1 to 3650 days" in str(*problems("gcp", retention_days=3651))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"buffer_mib": 8}, r"buffer_mib: got 8; expected 64 to 65536 MiB"),
        ({"excluded_namespaces": ["*"]}, r"excluded_namespaces\[0\]: got '\*'; expected a DNS label"),
        ({"secret_keys": ['x" }']}, r"secret_keys\[0\].*expected 3 to 64 letters"),
        ({"retention": 3}, r"unknown key.*retention_days"),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read(Logs, arguments, "LogsArgs")


def test_a_prefix_that_is_too_long_is_refused() -> None:
    rule = prefix_for(*NAMES)
    assert rule("acme-dev") is None
    assert rule("a" * 120)

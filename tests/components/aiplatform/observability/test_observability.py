"""What observability has in the cluster and in the cloud, and what it refuses."""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pulumi
import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.addons.catalog import catalog
from aiplatform.observability import Observability
from aiplatform.observability.metrics import metrics
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, REGION, Recording, Registered, record

EKS: Any = CLUSTER
GKE: Any = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-123.svc.id.goog"}
ADDONS = {
    name: catalog()[name].version for name in ("cert-manager", "dcgm-exporter", "external-secrets", "kueue")
}
CONTROLLER = f"arn:aws:iam::{ACCOUNT}:role/acme-dev-ext-secrets-1"
WORKSPACE = "ws-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
CHART = "kubernetes:helm.sh/v4:Chart"
POD_MONITOR = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
EXTERNAL_SECRET = "kubernetes:external-secrets.io/v1:ExternalSecret"
STORE = "kubernetes:external-secrets.io/v1:SecretStore"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SLACK: Any = {"name": "ml", "slack": {"channel": "#ml", "secret": "acme-dev/alerts/slack"}}


def recorded(cluster: Any = EKS, **more: Any) -> Recording:
    arguments: Any = {"prefix": "acme-dev", "cluster": cluster, "addons": ADDONS, **more}
    if cluster is EKS:
        arguments.setdefault("secrets_role_arn", CONTROLLER)
    return record(lambda: Observability("observability", arguments))


def refused(cluster: Any = EKS, **more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        recorded(cluster, **more)
    return [str(problem).removeprefix("ObservabilityArgs.") for problem in error.value.problems]


def chart(recording: Recording) -> Registered:
    return recording.one(CHART, "observability-kube-prometheus-stack")


def prometheus(recording: Recording) -> dict[str, Any]:
    return chart(recording).inputs["values"]["prometheus"]["prometheusSpec"]


def role_policy(recording: Recording, name: str) -> Any:
    return json.loads(recording.one("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"])["Statement"]


def test_it_is_documented() -> None:
    assert undocumented(Observability) == []


def test_the_chart_comes_after_its_kinds_and_its_namespace_and_before_monitors_and_rules() -> None:
    recording = recorded()
    installed = chart(recording)
    namespace = recording.one("kubernetes:core/v1:Namespace")
    secret = recording.one(EXTERNAL_SECRET, "observability-grafana-admin")
    for first in (recording.one(CHART, "observability-prometheus-operator-crds"), namespace, secret):
        assert recording.depends(installed, first), first.name
    rules = recording.all("kubernetes:monitoring.coreos.com/v1:PrometheusRule")
    monitors = recording.all(POD_MONITOR)
    assert len(rules) > 1
    assert len(monitors) > 1
    for after in (*rules, *monitors):
        assert recording.depends(after, installed), (
            "its kind, or the webhook that checks it, may not be there"
        )


def test_every_monitor_is_selected_whatever_its_labels() -> None:
    spec = prometheus(recorded())
    for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        assert spec[f"{kind}SelectorNilUsesHelmValues"] is False, "only objects of this release are selected"


def test_what_the_cloud_runs_is_not_scraped_and_rules_of_the_chart_are_off() -> None:
    values = chart(recorded()).inputs["values"]
    for part in ("kubeControllerManager", "kubeEtcd", "kubeScheduler", "kubeProxy"):
        assert values[part] == {"enabled": False}, "an alert on it would fire at once"
    assert values["defaultRules"] == {"create": False}
    assert values["crds"] == {"enabled": False}
    webhooks = values["prometheusOperator"]["admissionWebhooks"]
    assert webhooks["certManager"]["enabled"] is True
    assert webhooks["patch"] == {"enabled": False}, "hooks are not run"


def test_the_volume_has_room_beyond_the_blocks_that_are_kept() -> None:
    spec = prometheus(recorded(prometheus={"storage_gib": 100, "retention_days": 30}))
    volume = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert volume["resources"]["requests"]["storage"] == "100Gi"
    assert (spec["retention"], spec["retentionSize"]) == ("30d", "80GB")
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete", (
        "disks outlive the cluster"
    )


@pytest.mark.parametrize(("replicas", "expected"), [(1, False), (2, True)])
def test_only_several_replicas_have_a_disruption_budget(replicas: int, expected: bool) -> None:
    recording = recorded(prometheus={"replicas": replicas}, alertmanager={"replicas": replicas})
    values = chart(recording).inputs["values"]
    for part in ("prometheus", "alertmanager"):
        assert values[part]["podDisruptionBudget"]["enabled"] is expected, "a drain would never end"


def test_dev_has_nothing_in_the_cloud() -> None:
    recording = recorded()
    assert [r.name for r in recording.resources if r.type.startswith(("aws:", "gcp:"))] == []
    assert "remoteWrite" not in prometheus(recording)


def test_metrics_are_written_to_a_workspace_by_the_role_of_the_pod() -> None:
    recording = recorded(long_term_storage={}, prometheus={"replicas": 2})
    workspace = recording.one("aws:amp/workspace:Workspace")
    (write,) = prometheus(recording)["remoteWrite"]
    assert write["sigv4"] == {"region": REGION}, "no keys, and the default credentials of the Pod"
    assert write["url"].endswith(f"/workspaces/{workspace.id}/api/v1/remote_write")
    assert prometheus(recording)["replicaExternalLabelName"] == "__replica__", "samples would be twice there"
    (statement,) = role_policy(recording, "observability-prometheus-policy")
    assert statement["Action"] == ["aps:RemoteWrite"]
    assert statement["Resource"] == f"arn:aws:aps:{REGION}:{ACCOUNT}:workspace/{workspace.id}"
    (former,) = recording.one("aws:iam/rolePolicy:RolePolicy", "observability-prometheus-policy").aliases
    assert "name=observability-prometheus-role" in former, "an existing policy is not created again"
    association = recording.one("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert association.inputs["serviceAccount"] == "kube-prometheus-stack-prometheus"
    assert recording.depends(chart(recording), association), "Pods before it have no credentials"
    annotations = prometheus(recording)["podMetadata"]["annotations"]
    assert annotations == {"ai-platform/identity": association.state["associationId"]}, (
        "Pods that exist would refuse the configuration, since they get no credentials"
    )
    assert recording.all("aws:amp/workspaceConfiguration:WorkspaceConfiguration") == [], "AWS' own default"
    stated = recorded(long_term_storage={"retention_days": 400})
    configuration = stated.one("aws:amp/workspaceConfiguration:WorkspaceConfiguration")
    assert configuration.inputs["retentionPeriodInDays"] == 400


def test_a_workspace_that_exists_is_not_changed() -> None:
    recording = recorded(long_term_storage={"workspace_id": WORKSPACE})
    assert recording.all("aws:amp/workspace:Workspace") == []
    assert recording.all("aws:amp/workspaceConfiguration:WorkspaceConfiguration") == []
    assert f"/workspaces/{WORKSPACE}/" in prometheus(recording)["remoteWrite"][0]["url"]


def test_grafana_reads_from_the_workspace_only_where_that_is_stated() -> None:
    without = chart(recorded(long_term_storage={})).inputs["values"]["grafana"]
    assert "plugins" not in without
    recording = recorded(long_term_storage={"data_source": True})
    grafana = chart(recording).inputs["values"]["grafana"]
    sources = grafana["datasources"]["datasources.yaml"]["datasources"]
    assert [source["uid"] for source in sources] == ["prometheus", "alertmanager", "long-term"]
    assert grafana["containerSecurityContext"]["readOnlyRootFilesystem"] is True
    assert grafana["grafana.ini"]["plugins"] == {"preinstall_auto_update": False}, (
        "an update of the bundled plugin for Prometheus unloads it, and fails on the read-only file system"
    )
    assert without["grafana.ini"]["plugins"] == {"preinstall_disabled": True}
    (statement,) = role_policy(recording, "observability-grafana-policy")
    assert "aps:RemoteWrite" not in statement["Action"]


def test_google_cloud_has_googles_prometheus_with_the_permission_to_write() -> None:
    recording = recorded(GKE, long_term_storage={}, prometheus={"replicas": 2})
    spec = prometheus(recording)
    assert spec["image"]["repository"] == "prometheus-engine/prometheus"
    assert "remoteWrite" not in spec, "the operator's has no credentials of Google"
    flags = {entry["name"]: entry["value"] for entry in spec["additionalArgs"]}
    assert flags["export.ha.backend"] == "kube", "both replicas would write the same series"
    (member,) = recording.all("gcp:projects/iAMMember:IAMMember")
    assert member.inputs["role"] == "roles/monitoring.metricWriter"
    assert member.inputs["member"].endswith("/subject/ns/monitoring/sa/kube-prometheus-stack-prometheus")
    role = recording.one("kubernetes:rbac.authorization.k8s.io/v1:Role")
    assert role.inputs["rules"][1]["resourceNames"] == [flags["export.ha.kube.name"]]


def test_google_cloud_stores_the_series_that_aws_stores() -> None:
    written = prometheus(recorded(long_term_storage={}))["remoteWrite"]
    (dropped,) = written[0]["writeRelabelConfigs"]
    arguments = prometheus(recorded(GKE, long_term_storage={}))["additionalArgs"]
    (selector,) = [entry["value"] for entry in arguments if entry["name"] == "export.match"]
    parsed = promql_parser.parse(selector)
    assert isinstance(parsed, promql_parser.VectorSelector)
    assert [(str(matcher.op), matcher.value) for matcher in parsed.matchers.matchers] == [
        (str(promql_parser.MatchOp.Re), ".+"),
        (str(promql_parser.MatchOp.NotRe), dropped["regex"]),
    ]
    for name in ("etcd_request_duration_seconds_bucket", "container_network_receive_bytes_total"):
        assert re.fullmatch(dropped["regex"], name)
    for name in ("up", "apiserver_request_total", "container_memory_working_set_bytes"):
        assert not re.fullmatch(dropped["regex"], name)


def test_one_replica_on_google_cloud_needs_no_lease() -> None:
    recording = recorded(GKE, long_term_storage={})
    assert recording.all("kubernetes:rbac.authorization.k8s.io/v1:Role") == []
    names = {entry["name"] for entry in prometheus(recording)["additionalArgs"]}
    assert not any(name.startswith("export.ha") for name in names)


def test_the_password_of_grafana_is_generated_in_the_cluster() -> None:
    recording = recorded()
    grafana = chart(recording).inputs["values"]["grafana"]
    assert grafana["admin"] == {"existingSecret": "grafana-admin"}
    assert grafana["grafana.ini"]["auth.anonymous"] == {"enabled": False}
    assert "adminPassword" not in grafana
    spec = recording.one(EXTERNAL_SECRET).inputs["spec"]
    assert spec["refreshInterval"] == "0s", "another password than that of Grafana's database"
    existing = recorded(grafana={"admin_secret": "mine"})
    assert existing.all(EXTERNAL_SECRET) == []
    assert chart(existing).inputs["values"]["grafana"]["admin"] == {"existingSecret": "mine"}


def test_grafana_calls_no_api_of_the_cluster() -> None:
    grafana = chart(recorded()).inputs["values"]["grafana"]
    assert grafana["rbac"] == {"create": False}
    assert grafana["automountServiceAccountToken"] is False
    assert [sidecar["enabled"] for sidecar in grafana["sidecar"].values()] == [False, False]


def test_grafana_has_a_provider_for_the_folder_of_each_dashboard() -> None:
    recording = recorded()
    grafana = chart(recording).inputs["values"]["grafana"]
    maps = {entry.inputs["metadata"]["name"] for entry in recording.all("kubernetes:core/v1:ConfigMap")}
    providers = grafana["dashboardProviders"]["dashboardproviders.yaml"]["providers"]
    assert {provider["name"] for provider in providers} == maps == set(grafana["dashboardsConfigMaps"])


def test_the_secret_of_openid_connect_is_a_file() -> None:
    oidc = {
        "root_url": "https://grafana.acme.example",
        "client_id": "grafana",
        "secret": "acme-dev/grafana/oidc",
        "auth_url": "https://id.acme.example/auth",
        "token_url": "https://id.acme.example/token",
        "api_url": "https://id.acme.example/userinfo",
    }
    recording = recorded(grafana={"oidc": oidc})
    grafana = chart(recording).inputs["values"]["grafana"]
    signing_in = grafana["grafana.ini"]["auth.generic_oauth"]
    assert signing_in["client_secret"] == "$__file{/etc/grafana/oidc/grafana-oidc}"
    (mount,) = grafana["extraSecretMounts"]
    assert (
        mount["secretName"]
        == recording.one(EXTERNAL_SECRET, "observability-grafana-oidc").inputs["metadata"]["name"]
    )


def test_an_addon_is_monitored_where_it_is_installed() -> None:
    recording = recorded()
    monitors = {
        resource.inputs["metadata"]["name"]: resource.inputs["spec"]
        for kind in ("PodMonitor", "ServiceMonitor")
        for resource in recording.all(f"kubernetes:monitoring.coreos.com/v1:{kind}")
    }
    assert set(monitors) == {"cert-manager", "dcgm-exporter", "external-secrets", "kueue", "workloads"}
    (kueue,) = monitors["kueue"]["endpoints"]
    assert (kueue["scheme"], bool(kueue["bearerTokenFile"])) == ("https", True)
    (dcgm,) = monitors["dcgm-exporter"]["podMetricsEndpoints"]
    assert dcgm["honorLabels"] is True, "namespace and pod of the workload would be renamed"
    dropped = [entry["regex"] for entry in dcgm["relabelings"] if entry.get("action") == "labeldrop"]
    assert dropped == ["namespace|pod|container"], "a free GPU would have those of the exporter"
    assert monitors["dcgm-exporter"]["namespaceSelector"] == {"matchNames": ["kube-system"]}
    assert monitors["workloads"]["sampleLimit"] == 10_000


def test_prometheus_may_connect_to_what_it_scrapes() -> None:
    recording = recorded()
    kueue = recording.one(POLICY, "observability-kueue-scrapes").inputs
    (rule,) = kueue["spec"]["ingress"]
    assert kueue["metadata"]["namespace"] == "kueue-system"
    assert rule["ports"] == [{"port": 8443, "protocol": "TCP"}]
    assert rule["from"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "monitoring"
    }
    scrapes = recording.one(POLICY, "observability-scrapes").inputs["spec"]
    assert scrapes["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
    ports = [rule["ports"][0]["port"] for rule in scrapes["egress"] if "ports" in rule]
    assert ports == [9100, 10250], "exporter and kubelet have the address of the node"


def test_alertmanager_may_connect_to_the_ports_of_receivers() -> None:
    email = {
        "to": ["ml@acme.example"],
        "sender": "alerts@acme.example",
        "host": "smtp.acme.example",
        "username": "alerts",
        "secret": "acme-dev/alerts/mail",
    }
    hook: Any = {"secret": "acme-dev/alerts/hook"}
    receivers = [
        {"name": "ml", "email": email, "webhook": hook},
        {"name": "chat", "webhook": {**hook, "port": 8443}, "owners": []},
    ]
    routes = [{"receiver": "chat", "severities": ["info"]}]
    recording = recorded(notifications={"receivers": receivers, "default": "ml", "routes": routes})
    rules = recording.one(POLICY, "observability-receivers").inputs["spec"]["egress"]
    ports = [port for rule in rules for port in rule["ports"]]
    assert ports == [{"port": number, "protocol": "TCP"} for number in (587, 8443)], "HTTPS is allowed anyway"


def test_a_workload_cannot_pass_for_a_part_of_the_platform() -> None:
    spec = (
        recorded()
        .one("kubernetes:monitoring.coreos.com/v1:PodMonitor", "observability-workloads-monitor")
        .inputs["spec"]
    )
    assert "jobLabel" not in spec, "absent(up{job=...}) would be silent"
    (endpoint,) = spec["podMetricsEndpoints"]
    (dropped,) = endpoint["metricRelabelings"]
    platform = [name for metric in metrics().values() for name in metric.series if "_" in name]
    accepted = [name for name in platform if not re.fullmatch(dropped["regex"], name)]
    assert accepted == [name for name in platform if name.startswith(("scrape_", "vllm:"))]
    for name in ("vllm:num_requests_running", "http_requests_total", "python_gc_objects_collected_total"):
        assert not re.fullmatch(dropped["regex"], name)


def test_what_is_not_stored_is_named_by_no_rule() -> None:
    written = prometheus(recorded(long_term_storage={}))["remoteWrite"]
    (dropped,) = written[0]["writeRelabelConfigs"]
    names = [name for metric in metrics().values() for name in metric.series]
    assert not [name for name in names if re.fullmatch(dropped["regex"], name)]
    assert re.fullmatch(dropped["regex"], "apiserver_request_duration_seconds_bucket")


def test_the_alarm_comes_after_what_writes_metrics() -> None:
    recording = recorded(long_term_storage={})
    assert recording.depends(recording.one(ALARM), chart(recording)), "it would ring until then"


def test_the_collector_of_objects_reads_no_secrets() -> None:
    values = chart(recorded()).inputs["values"]["kube-state-metrics"]
    assert not {"secrets", "configmaps"} & set(values["collectors"])
    groups = {group for rule in values["rbac"]["extraRules"] for group in rule["apiGroups"]}
    assert groups == {
        "gateway.networking.k8s.io",
        "jobset.x-k8s.io",
        "kueue.x-k8s.io",
        "trainer.kubeflow.org",
    }


def test_images_come_from_mirrors() -> None:
    values = chart(recorded(mirrors={"quay.io": "mirror.example/quay"})).inputs["values"]
    image = values["prometheus"]["prometheusSpec"]["image"]
    assert (image["registry"], image["repository"]) == ("mirror.example", "quay/prometheus/prometheus")
    assert values["grafana"]["image"]["registry"] == "docker.io"


def test_an_output_of_another_stack_is_accepted_as_workspace() -> None:
    later = pulumi.Output.from_input(WORKSPACE)
    recording = recorded(long_term_storage={"workspace_id": later})
    assert f"/workspaces/{WORKSPACE}/" in prometheus(recording)["remoteWrite"][0]["url"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"addons": {}}, "addons: without cert-manager"),
        ({"prometheus": {"replicas": 3}}, "prometheus.replicas: got 3"),
        ({"prometheus": {"retention_days": 400}}, "prometheus.retention_days: got 400"),
        ({"long_term_storage": {"retention_days": 2000}}, "long_term_storage.retention_days: got 2000"),
        (
            {"long_term_storage": {"workspace_id": WORKSPACE, "retention_days": 30}},
            "long_term_storage.retention_days: got 30, and workspace_id names a workspace",
        ),
        ({"long_term_storage": {"workspace_id": "prod"}}, "long_term_storage.workspace_id: got 'prod'"),
        (
            {"long_term_storage": {"alarm": {"notify": ["ops@acme.example"]}}},
            "long_term_storage.alarm.notify[0]: got 'ops@acme.example'; expected the arn of an SNS topic",
        ),
        ({"long_term_storage": {"alarm": {"minutes": 1}}}, "long_term_storage.alarm.minutes: got 1"),
        ({"runbooks": "http://wiki"}, "runbooks: got 'http://wiki'"),
        (
            {"notifications": {"receivers": [{**SLACK, "owners": ["seach"]}], "default": "ml"}},
            "notifications.receivers[0].owners[0]: got 'seach', which owns no objective",
        ),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_registered(arguments: Any, expected: str) -> None:
    problems = refused(**arguments)
    assert any(problem.startswith(expected) for problem in problems), problems


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"retention_days": 30}, "long_term_storage.retention_days: got 30, which Google Cloud does not"),
        ({"workspace_id": WORKSPACE}, "long_term_storage.workspace_id: got"),
        ({"data_source": True}, "long_term_storage.data_source: got True"),
    ],
)
def test_google_cloud_refuses_what_it_does_not_have(arguments: Any, expected: str) -> None:
    problems = refused(GKE, long_term_storage=arguments)
    assert any(problem.startswith(expected) for problem in problems), problems


def test_a_secret_of_another_project_is_refused() -> None:
    receiver = {"name": "ml", "pagerduty": {"secret": "projects/other/secrets/pagerduty"}}
    (problem,) = refused(GKE, notifications={"receivers": [receiver], "default": "ml"})
    assert "expected the id of a secret in Secret Manager of the cluster's project" in problem


def test_credentials_without_the_role_of_external_secrets_are_refused() -> None:
    arguments: Any = {"notifications": {"receivers": [SLACK], "default": "ml"}, "secrets_role_arn": None}
    (problem,) = refused(**arguments)
    assert problem.startswith("secrets_role_arn: missing; expected the role of External Secrets")

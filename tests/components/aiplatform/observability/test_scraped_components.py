"""What Prometheus scrapes of components that other layers of an environment create."""

import re
from typing import Any

from aiplatform.addons.catalog import catalog
from aiplatform.feature_store import args as feature_store
from aiplatform.model_registry import args as model_registry
from aiplatform.observability import Observability
from aiplatform.observability.monitors import TARGETS
from tests.components.aiplatform.pools import CLUSTER
from tests.components.recording import Recording, record

SERVICE_MONITOR = "kubernetes:monitoring.coreos.com/v1:ServiceMonitor"
POD_MONITOR = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
LATER = ("Gateway", "Pipelines")
"""Components that install add-ons after Observability."""


def recorded(**more: Any) -> Recording:
    addons = {name: catalog()[name].version for name in ("cert-manager", "external-secrets")}
    arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "addons": addons, **more}
    return record(lambda: Observability("observability", arguments))


def test_the_model_registry_and_the_feature_store_are_scraped_where_they_are() -> None:
    recording = recorded(model_registry="models", feature_store="feature-store")
    for name, namespace, port, label in (
        ("model-registry", "models", model_registry.METRICS_PORT, model_registry.SERVER),
        ("feature-server", "feature-store", feature_store.METRICS_PORT, feature_store.SERVER),
    ):
        spec = recording.one(POD_MONITOR, f"observability-{name}-monitor").inputs["spec"]
        assert spec["namespaceSelector"] == {"matchNames": [namespace]}, "a team can use the same labels"
        assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": label}}
        assert spec["podMetricsEndpoints"][0]["portNumber"] == port
    names = {resource.name for resource in recording.all(POLICY)}
    assert "observability-model-registry-scrapes" not in names, "its namespace may not exist yet"
    assert not [name for name in recorded().names() if "model-registry" in name or "feature-server" in name]


def test_keda_may_ask_prometheus_and_nothing_else_of_its_namespace_may() -> None:
    addons = {name: catalog()[name].version for name in ("cert-manager", "external-secrets", "keda")}
    recording = recorded(addons=addons)
    clients = recording.one(POLICY, "observability-prometheus-clients").inputs
    assert clients["metadata"]["namespace"] == "monitoring"
    [rule] = clients["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [9090]
    [client] = rule["from"]
    assert client["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "keda"}
    egress = recording.one(POLICY, "observability-keda-prometheus").inputs
    assert egress["metadata"]["namespace"] == "keda", "this namespace denies all but HTTPS otherwise"
    assert egress["spec"]["podSelector"]["matchLabels"] == {"app": "keda-operator"}
    [rule] = egress["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [9090]
    [server] = rule["to"]
    assert server["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
    assert server["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}
    names = {resource.name for resource in recorded().all(POLICY)}
    assert not names & {"observability-prometheus-clients", "observability-keda-prometheus"}


def test_metrics_with_a_certificate_of_the_controller_are_read_with_tls() -> None:
    named = ("argo-workflows", "cert-manager", "external-secrets", "keda", "kserve")
    recording = recorded(addons={name: catalog()[name].version for name in named})
    workflows = recording.one(POD_MONITOR, "observability-argo-workflows-monitor").inputs["spec"]
    [endpoint] = workflows["podMetricsEndpoints"]
    assert (endpoint["scheme"], endpoint["portNumber"]) == ("https", 9090)
    assert "bearerTokenFile" not in endpoint, "everyone who reaches the port may read them"
    kserve = recording.one(SERVICE_MONITOR, "observability-kserve-monitor").inputs["spec"]
    [endpoint] = kserve["endpoints"]
    assert (endpoint["scheme"], endpoint["port"]) == ("https", "https")
    assert endpoint["bearerTokenFile"], "kube-rbac-proxy asks who reads them"
    allowed = recording.one(POLICY, "observability-kserve-scrapes").inputs
    assert allowed["metadata"]["namespace"] == "kserve", "Addons creates it before Observability"
    [rule] = allowed["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8443]
    [peer] = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
    [endpoint] = recording.one(POD_MONITOR, "observability-keda-monitor").inputs["spec"][
        "podMetricsEndpoints"
    ]
    assert "scheme" not in endpoint


def test_what_jobs_send_keeps_its_labels_and_is_of_monitors_alone() -> None:
    addons = {name: catalog()[name].version for name in ("cert-manager", "external-secrets")}
    addons["prometheus-pushgateway"] = catalog()["prometheus-pushgateway"].version
    spec = (
        recorded(addons=addons)
        .one(POD_MONITOR, "observability-prometheus-pushgateway-monitor")
        .inputs["spec"]
    )
    assert spec["namespaceSelector"] == {"matchNames": ["pushgateway"]}
    [endpoint] = spec["podMetricsEndpoints"]
    assert endpoint["portNumber"] == 9091
    assert endpoint["honorLabels"], "namespace and model are those of the monitor"
    [relabeling] = endpoint["metricRelabelings"]
    assert (relabeling["action"], relabeling["sourceLabels"]) == ("keep", ["__name__"])
    stored = re.compile(relabeling["regex"])
    assert stored.fullmatch("ai_platform_monitor_score")
    assert stored.fullmatch("push_time_seconds")
    assert not stored.fullmatch("kube_pod_info"), "a job could imitate an exporter"


def test_no_policy_is_in_a_namespace_that_a_later_layer_creates() -> None:
    later = {entry.namespace for entry in catalog().values() if entry.installed_by in LATER and entry.images}
    assert later == {"argo", "envoy-gateway-system"}
    named = [name for name, entry in catalog().items() if entry.namespace in {*later, "cert-manager"}]
    addons = {name: catalog()[name].version for name in (*named, "external-secrets")}
    for policy in recorded(addons=addons).all(POLICY):
        assert policy.inputs["metadata"]["namespace"] not in later, policy.name


def test_prometheus_reaches_the_metrics_of_add_ons_that_later_layers_install() -> None:
    for target in TARGETS:
        entry = catalog()[target.addon or target.name]
        if entry.installed_by in LATER:
            assert target.port in entry.metrics_ports, target.name
        else:
            assert not entry.metrics_ports, "Observability has a policy for each of these"

"""What Prometheus scrapes of components that other layers of an environment create."""

from typing import Any

from aiplatform.addons.catalog import catalog
from aiplatform.feature_store import args as feature_store
from aiplatform.model_registry import args as model_registry
from aiplatform.observability import Observability
from tests.components.aiplatform.pools import CLUSTER
from tests.components.recording import Recording, record

POD_MONITOR = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


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

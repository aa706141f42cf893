"""OpenCost: its prices, its Pod, and what it is connected with."""

from typing import Any

import pytest
import yaml

from aiplatform._shared.args import ArgumentError
from aiplatform.addons.catalog import catalog
from aiplatform.observability import Observability
from aiplatform.observability.monitors import COSTS
from aiplatform.observability.opencost import price_table, values
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.pools import CLUSTER
from tests.components.recording import Recording, record

ADDONS = {name: catalog()[name].version for name in ("cert-manager", "external-secrets", "keda")}
PRICES = {"m7g.large": 0.0816, "g6.12xlarge": 4.6016, "trn1.2xlarge": 1.34375}
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def recorded(**opencost: Any) -> Recording:
    arguments: Any = {
        "prefix": "acme-dev",
        "cluster": CLUSTER,
        "addons": ADDONS,
        "opencost": {"prices": PRICES, **opencost},
    }
    return record(lambda: Observability("observability", arguments))


def test_a_machine_has_a_price_and_its_gpus_all_of_it() -> None:
    lines = price_table(PRICES, "aws").splitlines()
    label = "node.kubernetes.io/instance-type"
    assert lines == [
        f",g6.12xlarge,,node,metadata.labels.{label},,4.601600,",
        # Four GPUs.
        f",g6.12xlarge,,gpulabel,{label},,1.150400,",
        f",m7g.large,,node,metadata.labels.{label},,0.081600,",
        # Its accelerators are no GPUs to OpenCost.
        f",trn1.2xlarge,,node,metadata.labels.{label},,1.343750,",
    ]
    assert all(line.count(",") == 7 for line in lines), "eight fields, as the CSV provider expects"


def test_it_is_installed_after_prometheus_with_prices_from_a_file() -> None:
    recording = recorded()
    chart = recording.one("kubernetes:helm.sh/v4:Chart", "observability-opencost")
    after = {urn.rpartition("::")[2] for urn in chart.depends_on}
    assert "observability-kube-prometheus-stack-installed" in after, "it does not start without Prometheus"
    assert "observability-opencost-prices" in after
    exporter = chart.inputs["values"]["opencost"]["exporter"]
    assert exporter["extraEnv"]["USE_CSV_PROVIDER"] == "true"
    [mount] = exporter["extraVolumeMounts"]
    assert exporter["extraEnv"]["CSV_PATH"].startswith(mount["mountPath"])
    assert "aws" not in exporter, "it has no credentials"
    assert exporter["image"]["fullImageName"].startswith("ghcr.io/opencost/opencost:1.120.1@sha256:")
    table = recording.one("kubernetes:core/v1:ConfigMap", "observability-opencost-prices").inputs
    [volume] = chart.inputs["values"]["extraVolumes"]
    assert volume["configMap"]["name"] == table["metadata"]["name"]
    assert not [name for name in recording.names() if "aws:iam" in name and "opencost" in name]


def test_it_asks_prometheus_and_prometheus_reads_its_metrics() -> None:
    recording = recorded()
    clients = recording.one(POLICY, "observability-prometheus-clients").inputs["spec"]["ingress"]
    names = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in clients
        for peer in rule["from"]
    ]
    assert names == ["keda", "opencost"]
    egress = recording.one(POLICY, "observability-opencost-prometheus").inputs
    assert egress["metadata"]["namespace"] == "opencost"
    spec = recording.one(
        "kubernetes:monitoring.coreos.com/v1:PodMonitor", "observability-opencost-monitor"
    ).inputs["spec"]
    [endpoint] = spec["podMetricsEndpoints"]
    assert (endpoint["portNumber"], endpoint["honorLabels"]) == (9003, True)
    assert catalog()["opencost"].metrics_ports == (COSTS.port,), "its namespace allows that port"


def test_series_of_objects_that_kube_state_metrics_has_are_not_stored_twice() -> None:
    import re

    stored = re.compile(COSTS.stored)
    for name in ("node_total_hourly_cost", "node_gpu_count", "container_memory_allocation_bytes"):
        assert stored.fullmatch(name), name
    for name in ("kube_node_labels", "kube_pod_labels", "container_cpu_usage_seconds_total", "go_goroutines"):
        assert not stored.fullmatch(name), name


def test_the_chart_has_each_value() -> None:
    entry = catalog()["opencost"]
    folder = chart_facts.folder("opencost", entry.file_name)
    known = yaml.safe_load((folder / "values.yaml").read_text())
    stated = values("acme", {})

    def unknown(values: Any, of_chart: Any, path: str) -> list[str]:
        if not isinstance(values, dict) or not isinstance(of_chart, dict) or not of_chart:
            return []
        return [
            problem
            for key, value in values.items()
            for problem in (
                unknown(value, of_chart[key], f"{path}.{key}") if key in of_chart else [f"{path}.{key}"]
            )
        ]

    assert unknown(stated, known, "") == []


def test_a_mirror_replaces_the_registry_of_its_image() -> None:
    image = values("acme", {"ghcr.io": "mirror.example/github"})["opencost"]["exporter"]["image"]
    assert image["fullImageName"].startswith("mirror.example/github/opencost/opencost:1.120.1@")


@pytest.mark.parametrize(
    ("opencost", "expected"),
    [
        ({"prices": {}}, "opencost.prices"),
        ({"prices": {"m7g.large": 0}}, "with m7g.large: got 0; expected dollars an hour"),
        ({"prices": {"m7g.large": "0.08"}}, "opencost.prices"),
        ({"spot_ratio": 0}, "opencost.spot_ratio: got 0; expected"),
        ({"spot_ratio": 1.5}, "opencost.spot_ratio: got 1.5; expected"),
    ],
)
def test_wrong_prices_are_refused(opencost: dict[str, Any], expected: str) -> None:
    with pytest.raises(ArgumentError) as error:
        recorded(**opencost)
    assert any(expected in str(problem) for problem in error.value.problems), error.value.problems

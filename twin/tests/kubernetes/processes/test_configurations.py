"""What Prometheus and Alertmanager read of the operator's configuration."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import yaml

from twin.kubernetes.processes.configurations import Adaptation, divided
from twin.kubernetes.processes.rewriting import Rewriter

PROMETHEUS = """\
global:
  scrape_interval: 30s
  evaluation_interval: 30s
  external_labels:
    cluster: acme-dev
rule_files:
- /etc/prometheus/rules/rulefiles-0/*.yaml
scrape_configs:
- job_name: serviceMonitor/monitoring/kueue/0
  scrape_timeout: 10s
  kubernetes_sd_configs:
  - role: endpoints
    namespaces: {names: [kueue-system]}
  authorization:
    credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token
alerting:
  alertmanagers:
  - path_prefix: /
    kubernetes_sd_configs:
    - role: endpoints
"""
MOUNTS = {
    "/etc/prometheus/rules/rulefiles-0": Path("/pod/rules"),
    "/etc/alertmanager/secrets/receivers": Path("/pod/receivers"),
    "/var/run/secrets/kubernetes.io/serviceaccount": Path("/pod/account"),
}


def adaptation(factor: float = 1) -> Adaptation:
    rewrite = Rewriter(MOUNTS, "127.96.1.1", "monitoring", ())
    return Adaptation(rewrite, "http://127.0.0.1:3128", Path("/pod/kubeconfig"), factor)


def prometheus(factor: float = 1) -> dict[str, Any]:
    content = adaptation(factor).file("config", "prometheus.yaml.gz", gzip.compress(PROMETHEUS.encode()))
    return yaml.safe_load(gzip.decompress(content))


def test_targets_are_discovered_by_a_kubeconfig_and_reached_by_the_proxy() -> None:
    document = prometheus()
    for entry in (*document["scrape_configs"], *document["alerting"]["alertmanagers"]):
        assert entry["proxy_url"] == "http://127.0.0.1:3128"
        assert [item["kubeconfig_file"] for item in entry["kubernetes_sd_configs"]] == ["/pod/kubeconfig"]


def test_all_else_is_as_the_operator_wrote_it() -> None:
    document = prometheus()
    for entry in (*document["scrape_configs"], *document["alerting"]["alertmanagers"]):
        del entry["proxy_url"]
        for item in entry["kubernetes_sd_configs"]:
            del item["kubeconfig_file"]
    expected = yaml.safe_load(PROMETHEUS)
    expected["rule_files"] = ["/pod/rules/*.yaml"]
    (job,) = expected["scrape_configs"]
    job["authorization"]["credentials_file"] = "/pod/account/token"
    for values in (expected["global"], job):
        values |= {
            name: f"{value.removesuffix('s')}000ms"
            for name, value in values.items()
            if name.endswith(("_interval", "_timeout"))
        }
    assert document == expected


def test_the_clock_divides_what_is_waited_for() -> None:
    document = prometheus(240)
    assert document["global"]["scrape_interval"] == "2000ms", "time for a target that is busy"
    assert document["scrape_configs"][0]["scrape_timeout"] == "2000ms", "not above the interval"
    assert document["global"]["evaluation_interval"] == "1000ms", "an interval is a second at least"
    rules = "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: sum(rate(x[5m])) > 1\n    for: 2h\n"
    name = "prometheus-main-rulefiles-0"
    changed = adaptation(240).file(name, "monitoring-a.yaml", rules.encode()).decode()
    assert changed == rules.replace("2h", "30000ms"), "windows of expressions stay"
    assert adaptation(240).file("other", "a.yaml", rules.encode()).decode() == rules


def test_files_of_credentials_are_those_of_the_pod() -> None:
    text = (
        "route: {}\nreceivers:\n- webhook_configs:\n  - url_file: /etc/alertmanager/secrets/receivers/team\n"
    )
    content = adaptation().file("config", "alertmanager.yaml.gz", gzip.compress(text.encode()))
    assert "url_file: /pod/receivers/team" in gzip.decompress(content).decode()


def test_other_files_stay() -> None:
    assert adaptation(10).file("receivers", "team", b"for: 5m\n") == b"for: 5m\n"


@pytest.mark.parametrize(
    ("duration", "factor", "expected"),
    [
        ("30s", 10, "3000ms"),
        ("1h30m", 60, "90000ms"),
        ("30s", 240, "1000ms"),
        ("500ms", 240, "500ms"),
        ("0s", 240, "0s"),
    ],
)
def test_durations(duration: str, factor: float, expected: str) -> None:
    assert divided(duration, factor) == expected

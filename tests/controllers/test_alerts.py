"""Alerts from an error at its source to their receiver: the real operator, Prometheus, Alertmanager and
kube-state-metrics with the objects that the component Observability creates, all unchanged.

The twin's clock divides what is waited for (240 times: `for: 1h` is 15 seconds).
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
import requests
import yaml

from aiplatform.observability.metrics import exporters
from aiplatform.observability.values.setup import NAMESPACE
from tests.components.aiplatform.observability.rules.test_alerts import RUNBOOKS
from tests.controllers.cluster import job, jobset_of, local_queue
from tests.controllers.monitored import (
    ALERTMANAGER,
    DROPPED,
    FACTOR,
    PROMETHEUS,
    QUEUE,
    SYNCHRONIZED,
    MonitoredCluster,
    Sink,
    created,
    is_ready,
)
from tests.controllers.monitored import RUNBOOKS as RUNBOOK_ADDRESS
from twin.kubernetes.processes.configurations import divided
from twin.tests.waiting import eventually
from twin.toolchain import build

EXPORTERS: Final = (
    *("alertmanager", "cert-manager", "container-logs", "dcgm-exporter", "external-secrets", "jobset"),
    *("kube-state-metrics", "kueue", "prometheus", "prometheus-operator"),
)
"""Those of the inventory of metrics that run here."""
RULES: Final = ("monitoring.coreos.com/v1", "PrometheusRule")
SETTLED: Final = 4.0
"""Seconds in which a second notification of an alert would arrive."""


@dataclass(frozen=True)
class Running:
    """The cluster and its receivers."""

    cluster: MonitoredCluster
    sink: Sink


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Running]:
    for cluster, sink in created(home, "monitored"):
        eventually("rules are loaded", lambda cluster=cluster: _loaded(cluster), 90)
        yield Running(cluster, sink)


def _rules(cluster: MonitoredCluster) -> list[dict[str, Any]]:
    groups = [group for item in cluster.list(*RULES) for group in item["spec"]["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def _loaded(cluster: MonitoredCluster) -> list[dict[str, Any]] | None:
    """Return the rules of Prometheus once they are as many as those of the objects."""
    answer = requests.get(f"{cluster.url(PROMETHEUS, 9090)}/api/v1/rules", timeout=10).json()
    rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
    return rules if len(rules) == len(_rules(cluster)) > 0 else None


def test_all_targets_of_programs_that_run_are_scraped(running: Running) -> None:
    def missing() -> list[str]:
        targets = {name: exporters()[name].target for name in EXPORTERS}
        return [name for name, up in targets.items() if not running.cluster.query(f"up{{{up}}} == 1")]

    with suppress(AssertionError):
        eventually("all are up", lambda: not missing(), 60)
    assert missing() == [], "their series of `up` have the labels of the inventory"


def test_rules_are_those_of_the_program(running: Running) -> None:
    def key(rule: Mapping[str, Any], name: str) -> tuple[str, str]:
        return name, json.dumps([rule.get("labels") or {}, rule.get("annotations") or {}], sort_keys=True)

    loaded = {key(rule, rule["name"]): rule for rule in _loaded(running.cluster) or ()}
    for rule in _rules(running.cluster):
        name = rule.get("alert") or rule["record"]
        known = loaded[key(rule, name)]
        milliseconds = divided(rule.get("for", "0s"), FACTOR, 0).removesuffix("ms")
        pending = float(milliseconds) / 1000 if "for" in rule else 0
        assert known.get("duration", 0) == pytest.approx(pending), name


def _generated(cluster: MonitoredCluster, name: str, key: str) -> str:
    secret = cluster.core.read_namespaced_secret(name, NAMESPACE)
    return gzip.decompress(base64.b64decode(secret.data[key])).decode()


def _checked(tool: str, *arguments: str | Path) -> str:
    binary = build.ensure([tool])[tool]
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_the_operator_wrote_passes_the_checks_of_promtool(running: Running, tmp_path: Path) -> None:
    text = _generated(running.cluster, "prometheus-kube-prometheus-stack-prometheus", "prometheus.yaml.gz")
    document = yaml.safe_load(text)
    document["rule_files"] = [str(tmp_path / "*.yaml")]
    maps = running.cluster.core.list_namespaced_config_map(NAMESPACE).items
    files = {
        name: content
        for item in maps
        if "-rulefiles-" in item.metadata.name
        for name, content in (item.data or {}).items()
    }
    assert len(files) == len(running.cluster.list(*RULES)), "a file of each object"
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    _checked("promtool", "check", "rules", *(tmp_path / name for name in files))
    path = tmp_path / "prometheus.config"
    path.write_text(yaml.safe_dump(document))
    # Not `check config` as a whole: files of the service account are those of the container.
    _checked("promtool", "check", "config", "--syntax-only", path)


def test_each_alert_has_the_receiver_of_its_severity(running: Running, tmp_path: Path) -> None:
    text = _generated(
        running.cluster, "alertmanager-kube-prometheus-stack-alertmanager-generated", "alertmanager.yaml.gz"
    )
    path = tmp_path / "alertmanager.yaml"
    path.write_text(text)
    _checked("amtool", "check-config", path)
    receivers = {"critical": "on-call", "warning": "team", "info": "none", "none": "heartbeat"}
    rules = [rule for rule in _rules(running.cluster) if "alert" in rule]
    alerts = {(rule["alert"], rule["labels"]["severity"]) for rule in rules}
    assert len(alerts) > 40
    for name, severity in sorted(alerts):
        labels = (f"alertname={name}", f"severity={severity}")
        answer = _checked("amtool", "config", "routes", "test", f"--config.file={path}", *labels)
        assert answer.strip() == receivers[severity], name


def received(running: Running, receiver: str, alert: str, /, **labels: str) -> dict[str, Any]:
    """Return the alert that a receiver got: once, apart from repetitions, and no other receiver did."""
    sink = running.sink
    eventually(f"{receiver} gets {alert}", lambda: sink.alerts(receiver, alert, **labels) or None, 90)
    time.sleep(SETTLED)
    for other in {*sink.messages} - {receiver}:
        assert sink.alerts(other, alert, **labels) == [], f"{alert} at {other}"
    result, *later = sink.alerts(receiver, alert, **labels)
    for repeated in later:
        assert repeated["startsAt"] == result["startsAt"], "it goes on, and did not fire again"
        # A change of another alert of the group sends all of them.
        if repeated["group"] == result["group"]:
            waited = repeated["received"] - result["received"]
            assert waited > SETTLED, "a repetition comes after its interval"
    address, _, runbook = result["annotations"]["runbook_url"].rpartition("/")
    assert address == RUNBOOK_ADDRESS
    assert (RUNBOOKS / runbook).is_file(), "the link of the notification leads to a runbook"
    assert result["labels"]["cluster"] == running.cluster.base.cluster
    return result


def pending_pod(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """Return a Pod that no node has enough memory for."""
    resources = {"requests": {"memory": "9000Gi"}}
    container = {"name": "main", "image": "registry.example/app:1", "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container], **spec},
    }


def deployment(name: str, namespace: str) -> dict[str, Any]:
    """Return a Deployment whose Pod finds no node."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pending_pod(name)["spec"]},
        },
    }


def namespace_of(name: str) -> dict[str, Any]:
    """Return a namespace of the platform."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


XID: Final = (
    'DCGM_FI_DEV_XID_ERRORS{gpu="3",UUID="GPU-1",modelName="H100",Hostname="gpu-0",err_code="79",'
    'err_msg="79"} 79\n'
)
CERTIFICATE: Final = (
    'certmanager_certificate_ready_status{name="api",namespace="release",condition="True",issuer_name="ca",'
    'issuer_kind="ClusterIssuer",issuer_group="cert-manager.io"} 0\n'
)


NOT_READY: Final = (
    'externalsecret_status_condition{name="alert-receivers",namespace="release",condition="Ready",'
    'status="False"} 1\n'
)


def secrets(cluster: MonitoredCluster) -> None:
    """External Secrets reports a secret that it cannot read, and that all of its calls fail."""
    eventually("calls are counted", lambda: cluster.query("externalsecret_sync_calls_total") or None, 60)
    cluster.export("external-secrets", NOT_READY + SYNCHRONIZED.format(calls=900, errors=900))


def lost_logs(cluster: MonitoredCluster) -> None:
    """The store of logs refuses records."""
    eventually(
        "records are counted", lambda: cluster.query("fluentbit_output_dropped_records_total") or None, 60
    )
    cluster.export("fluent-bit", DROPPED.format(records=25))


def gpu_error(cluster: MonitoredCluster) -> None:
    """A GPU reports an error of its hardware."""
    cluster.export("dcgm-exporter", XID)


def certificate(cluster: MonitoredCluster) -> None:
    """cert-manager reports a certificate that was not issued."""
    cluster.export("cert-manager", CERTIFICATE)


def stalled_queue(cluster: MonitoredCluster) -> None:
    """A Job requests more GPUs than its queue can ever have."""
    cluster.team("stalled")
    cluster.create(local_queue("stalled", QUEUE), job("stalled", "large", gpus=16))


def restarts(cluster: MonitoredCluster) -> None:
    """Each attempt of a JobSet fails."""
    cluster.create(namespace_of("runs"))
    item = jobset_of(job("runs", "loop", gpus=0, seconds=1), 1)
    del item["metadata"]["labels"]
    template = item["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]
    template["metadata"]["annotations"]["twin.ai-platform/exit-code"] = "1"
    cluster.create({**item, "spec": {**item["spec"], "failurePolicy": {"maxRestarts": 8}}})


def node_not_ready(cluster: MonitoredCluster) -> None:
    """A node whose kubelet reports that it is not ready."""
    condition = {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "no network"}
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "broken"},
            "status": {"conditions": [condition]},
        }
    )


def late_features(cluster: MonitoredCluster) -> None:
    """The materialization of features has never succeeded."""
    container = {"name": "main", "image": "registry.example/app:1"}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    cluster.create(
        namespace_of("features"),
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "feature-materializer", "namespace": "features"},
            "spec": {"schedule": "0 4 1 1 *", "jobTemplate": {"spec": {"template": pod}}},
        },
    )


def registry(cluster: MonitoredCluster) -> None:
    """The Pods of the model registry find no node."""
    cluster.create(namespace_of("registry"), deployment("mlflow", "registry"))


def serving(cluster: MonitoredCluster) -> None:
    """A replica of a model server finds no node."""
    priority = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "serving"},
        "value": 1000,
    }
    pod = pending_pod("model", "models", priorityClassName="serving")
    cluster.create(priority, namespace_of("models"), pod)


def rejected(cluster: MonitoredCluster) -> None:
    """A monitor refers to a Secret that does not exist: the operator rejects it."""
    cluster.create(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": {"name": "broken", "namespace": "default"},
            "spec": {
                "selector": {},
                "endpoints": [{"port": "http", "basicAuth": {"username": {"name": "absent", "key": "user"}}}],
            },
        }
    )


ERRORS: Final[Mapping[str, tuple[Callable[[MonitoredCluster], None], str, str, dict[str, str]]]] = {
    "gpu": (gpu_error, "on-call", "GpuXidHardwareError", {}),
    "queues": (stalled_queue, "team", "QueueStalled", {"cluster_queue": QUEUE}),
    "training": (restarts, "team", "TrainingRestartLoop", {"namespace": "runs", "name": "loop"}),
    "serving": (serving, "on-call", "ServingScaleUpWaiting", {"namespace": "models", "pod": "model"}),
    "data": (late_features, "team", "FeaturesLate", {"namespace": "features"}),
    "registry": (registry, "on-call", "ModelRegistryDown", {"namespace": "registry"}),
    "certificates": (certificate, "team", "CertificateNotReady", {"namespace": "release", "name": "api"}),
    # Of three Pods with the image one has the metrics of secrets; here all have.
    "secrets": (
        secrets,
        "team",
        "SecretNotSynchronized",
        {"name": "alert-receivers", "pod": "app.kubernetes.io/name=external-secrets"},
    ),
    "objectives": (
        lambda cluster: None,
        "on-call",
        "SloErrorBudgetBurn",
        {"slo": "secrets", "owner": "platform", "long_window": "1h"},
    ),
    "logs": (lost_logs, "team", "LogsLost", {"pod": "app.kubernetes.io/name=container-logs"}),
    "nodes": (node_not_ready, "team", "NodeNotReady", {"node": "broken"}),
    "monitoring": (rejected, "team", "PrometheusObjectsRejected", {"resource": "ServiceMonitor"}),
}
"""Group of rules -> the error, its receiver, the alert and its labels; `pod` by a selector of labels. The
budget of the objective is spent by the calls of `secrets`."""


@pytest.fixture(scope="module")
def broken(running: Running) -> Running:
    """All errors at once: the test of each waits for its alert only."""
    for cause, *_ in ERRORS.values():
        cause(running.cluster)
    return running


@pytest.mark.parametrize("group", ERRORS)
def test_an_error_arrives_once_at_the_receiver_that_is_meant(broken: Running, group: str) -> None:
    _, receiver, alert, labels = ERRORS[group]
    if "pod" in labels and "=" in labels["pod"]:
        pods = broken.cluster.core.list_pod_for_all_namespaces(label_selector=labels["pod"]).items
        labels = {**labels, "pod": pods[0].metadata.name}
    received(broken, receiver, alert, **labels)


def test_a_controller_that_hangs_is_reported(running: Running) -> None:
    folder = running.cluster.plain.instance.folder
    (process,) = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "kueue" and Path(process.info["cwd"] or "/").is_relative_to(folder)
    ]
    os.kill(process.pid, signal.SIGSTOP)
    try:
        received(running, "on-call", "ControllerDown", namespace="kueue-system")
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_stop_of_prometheus_ends_the_heartbeat(running: Running) -> None:
    beats = running.sink.alerts
    eventually("the heartbeat is repeated", lambda: len(beats("heartbeat", "Watchdog")) > 1 or None)
    name = PROMETHEUS.removeprefix("prometheus-").removesuffix("-0")
    instance = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": name, "namespace": NAMESPACE},
    }
    running.cluster.patch(instance, {"spec": {"replicas": 0}})
    eventually("its end arrives", lambda: beats("heartbeat", "Watchdog", "resolved") or None, 90)
    count = len(beats("heartbeat", "Watchdog"))
    time.sleep(3 * 5 * 60 / FACTOR)
    assert len(beats("heartbeat", "Watchdog")) == count, "three intervals without a heartbeat"
    assert is_ready(running.cluster, ALERTMANAGER)

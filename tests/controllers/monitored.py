"""A cluster that the component Observability monitors, with the real Prometheus operator, Prometheus,
Alertmanager, reloaders of their configuration, kube-state-metrics, Kueue and JobSet."""

from __future__ import annotations

import base64
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import kubernetes
import pulumi
import pulumi_kubernetes
import pytest
import requests
from kubernetes import client
from pulumi import automation

from aiplatform.addons.catalog import catalog
from aiplatform.addons.charts import locate
from aiplatform.addons.install import EXISTING_NAMESPACES, create_namespace, install
from aiplatform.addons.values import VALUES
from aiplatform.addons.values.setup import Setup
from aiplatform.observability import Observability
from aiplatform.observability.alertmanager import secret
from aiplatform.observability.values.setup import NAMESPACE
from tests.controllers.cluster import Cluster, Objects, flavor, node, queue
from tests.controllers.definitions import definitions
from tests.end_to_end.plain import Plain, location
from twin.kubernetes.processes import addresses
from twin.kubernetes.time_scale import VARIABLE
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

CONTROLLERS: Final = "prometheus,alertmanager,kube-state-metrics,kueue,jobset"
ADDONS: Final = ("cert-manager", "external-secrets", "dcgm-exporter", "kueue", "jobset")
FACTOR: Final = 240
"""Of the twin's clock: an alert that is pending for an hour fires after 15 seconds."""
EXPORTERS: Final = {
    "cert-manager": "9402,9403",
    "dcgm-exporter": "9400",
    "external-secrets": "8080,8081,8082",
    "fluent-bit": "2020",
}
"""What serves a file of the test in place of its program, and its ports of metrics and probes."""
IMAGES: Final = {
    "cert-manager": "jetstack/cert-manager-controller",
    "dcgm-exporter": "nvidia/k8s/dcgm-exporter",
    "external-secrets": "external-secrets/external-secrets",
    "fluent-bit": "fluent/fluent-bit",
}
FLUENT_BIT: Final = "/fluent-bit/bin"
"""The folder of the program in its image, which the DaemonSet starts by its path."""
SYNCHRONIZED: Final = (
    'externalsecret_sync_calls_total{{name="alert-receivers",namespace="release"}} {calls}\n'
    'externalsecret_sync_calls_error{{name="alert-receivers",namespace="release"}} {errors}\n'
)
DROPPED: Final = 'fluentbit_output_dropped_records_total{{name="cloudwatch_logs.0"}} {records}\n'
STARTED: Final = {
    "external-secrets": SYNCHRONIZED.format(calls=0, errors=0),
    "fluent-bit": DROPPED.format(records=0),
}
"""What exporters serve at first: a counter has a rate from its second sample on."""
QUEUE: Final = "training"
NOTIFICATIONS: Final[Mapping[str, Any]] = {
    "receivers": [
        {"name": name, "webhook": {"secret": f"acme/{name}"}} for name in ("heartbeat", "on-call", "team")
    ],
    "default": "team",
    "routes": [{"receiver": "on-call", "severities": ["critical"]}],
    "heartbeat": "heartbeat",
}
RUNBOOKS: Final = "https://example.com/runbooks"


@dataclass
class Sink:
    """What receivers got, by name."""

    port: int = 0
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def alerts(
        self, receiver: str, name: str, status: str = "firing", /, **labels: str
    ) -> list[dict[str, Any]]:
        """Return the alerts of a name and labels that a receiver got, each with the time (`received`) and all
        alerts of the message (`group`)."""
        expected = {"alertname": name, **labels}
        return [
            {
                **alert,
                "received": message["received"],
                "group": {(other["fingerprint"], other["status"]) for other in message["alerts"]},
            }
            for message in [*self.messages.get(receiver, ())]
            for alert in message["alerts"]
            if alert["status"] == status and expected.items() <= alert["labels"].items()
        ]


class Addons(pulumi.ComponentResource):
    """The add-ons, from upstream's charts with the platform's values, in namespaces as the component's."""

    def __init__(self, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tests:index:Addons", "addons", {}, opts)
        charts = str(ensure_charts())
        for name in ADDONS:
            addon = catalog()[name]
            namespace = (
                []
                if addon.namespace in EXISTING_NAMESPACES
                else create_namespace(self, "addons", addon.namespace, "aws", addon.webhook_ports)
            )
            install(self, "addons", addon, locate(addon, charts), VALUES[name](Setup()), namespace)


class MonitoredCluster(Cluster):
    """The twin. metrics: the folder of the files that exporters serve, `NAME.prom`."""

    def __init__(self, home: Path, name: str) -> None:
        self.metrics = home / f"{name}-metrics"
        self.metrics.mkdir()
        shutil.copy(Path(__file__).with_name("exporter.py"), self.metrics)
        for exporter in EXPORTERS:
            self.export(exporter, STARTED.get(exporter, ""))
        program = self.metrics / "fluent-bit"
        # Its argument is the configuration.
        program.write_text(f"#!/bin/sh\nexec python exporter.py fluent-bit.prom {EXPORTERS['fluent-bit']}\n")
        program.chmod(0o755)
        self.plain = Plain(home, name, "--controllers", CONTROLLERS, images=self._images())
        self.base = self.plain.base()
        self.connect()

    def connect(self) -> None:
        """Connect to the cluster."""
        Objects.__init__(self, kubernetes.config.new_client_from_config(str(self.plain.instance.kubeconfig)))
        self.core: Any = client.CoreV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.batch: Any = client.BatchV1Api(self.api)
        self.custom: Any = client.CustomObjectsApi(self.api)

    def export(self, exporter: str, text: str) -> None:
        """Have an exporter serve these metrics."""
        draft = self.metrics / f"{exporter}.new"
        draft.write_text(text)
        draft.replace(self.metrics / f"{exporter}.prom")

    def deploy(self, home: Path, sink: Sink) -> None:
        """Install the add-ons and the component, whose receivers are the sink."""
        self.create(*definitions(home), storage_class())
        self.add_nodes(gpu_nodes=1)
        self.create(node("cpu-0", cpu=64))
        # Without addresses Pods on the network of their node have none, and Services of theirs no endpoints.
        for number, name in enumerate(("system-0", "gpu-0", "cpu-0"), 11):
            address = {"type": "InternalIP", "address": f"10.0.7.{number}"}
            self.core.patch_node_status(name, {"status": {"addresses": [address]}})
        self.patch(
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu-0"}},
            {"metadata": {"labels": {"nvidia.com/gpu.present": "true"}}},
        )
        self.stack("addons", lambda: Addons(self.provided())).up()
        # The Pod of this webhook has the image of the controller, which is an exporter here.
        for name in ("externalsecret-validate", "secretstore-validate"):
            self.delete(
                {
                    "apiVersion": "admissionregistration.k8s.io/v1",
                    "kind": "ValidatingWebhookConfiguration",
                    "metadata": {"name": name},
                }
            )
        self.create(flavor(), queue(QUEUE, 8))
        stack = self.stack("observability", lambda: observability(self))
        stack.set_config("aws:region", automation.ConfigValue(self.plain.instance.region))
        secrets = threading.Thread(target=self._create_secrets, args=(sink,), daemon=True)
        secrets.start()
        stack.up()
        secrets.join(10)

    def provided(self) -> pulumi.ResourceOptions:
        """Return options with the provider of the cluster, in a program. By default there is one for each
        version of an SDK: that of a chart does not know what that of its objects has just defined."""
        kubeconfig = str(self.plain.instance.kubeconfig)
        provider = pulumi_kubernetes.Provider("cluster", kubeconfig=kubeconfig)
        return pulumi.ResourceOptions(providers=[provider])

    def _create_secrets(self, sink: Sink) -> None:
        """Create the Secrets of Alertmanager's receivers, as External Secrets does by the ExternalSecrets."""
        for receiver in NOTIFICATIONS["receivers"]:
            file = f"{receiver['name']}-webhook"
            metadata = {"name": secret(file), "namespace": NAMESPACE}
            external = {
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "metadata": metadata,
            }
            eventually("the ExternalSecret", lambda external=external: self.get(external), 300)
            url = f"http://127.0.0.1:{sink.port}/{receiver['name']}"
            self.create(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": metadata,
                    "data": {file: base64.b64encode(url.encode()).decode()},
                }
            )

    def url(self, pod: str, port: int) -> str:
        """Return where a Pod that runs as processes serves a port on this machine."""
        status = self.core.read_namespaced_pod(pod, NAMESPACE).status
        return f"http://{addresses.loopback(status.pod_ip)}:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression, now."""
        answer = requests.get(f"{self.url(PROMETHEUS, 9090)}/api/v1/query", {"query": expression}, timeout=10)
        answer.raise_for_status()
        return answer.json()["data"]["result"]

    def _images(self) -> str:
        return "".join(
            f'["{IMAGES[name]}"]\nfolder = {json.dumps(str(self.metrics))}\n'
            f'path = "{FLUENT_BIT if name == "fluent-bit" else ""}"\n'
            f'entrypoint = ["python", "exporter.py", "{name}.prom", "{ports}"]\n'
            for name, ports in EXPORTERS.items()
        )


PROMETHEUS: Final = "prometheus-kube-prometheus-stack-prometheus-0"
ALERTMANAGER: Final = "alertmanager-kube-prometheus-stack-alertmanager-0"


def storage_class() -> dict[str, Any]:
    """Return the default StorageClass, as the component Cluster creates it on EKS."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "ebs.csi.aws.com",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }


def observability(cluster: MonitoredCluster) -> None:
    """The program of the stack."""
    arguments: Any = {
        "prefix": "acme-dev",
        "cluster": location(cluster.base)["cluster"],
        "addons": {name: catalog()[name].version for name in ADDONS},
        "secrets_role_arn": "arn:aws:iam::000000000000:role/acme-dev-external-secrets",
        "cluster_queues": [QUEUE],
        "notifications": NOTIFICATIONS,
        "prometheus": {"memory_gib": 1, "storage_gib": 10},
        "logs": {"retention_days": 30},
        "slos": [
            {
                "name": "secrets",
                "indicator": "secret_synchronization",
                "objective_percent": 99,
                "owner": "platform",
            }
        ],
        "runbooks": RUNBOOKS,
        "charts": str(ensure_charts()),
    }
    Observability("observability", arguments, cluster.provided())


@contextmanager
def sink() -> Iterator[Sink]:
    """Serve the receivers."""
    received = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = {**json.loads(body), "received": time.monotonic()}
            received.messages.setdefault(self.path.strip("/"), []).append(message)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    received.port = server.server_port
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


def created(home: Path, name: str) -> Iterator[tuple[MonitoredCluster, Sink]]:
    """Yield the cluster once Prometheus and Alertmanager are ready, and remove it at the end."""
    with pytest.MonkeyPatch.context() as patch, sink() as received:
        patch.setenv(VARIABLE, str(FACTOR))
        cluster = MonitoredCluster(home, name)
        try:
            cluster.deploy(home, received)
            for pod in (PROMETHEUS, ALERTMANAGER):
                eventually(f"{pod} is ready", lambda pod=pod: is_ready(cluster, pod), 90)
            yield cluster, received
        finally:
            cluster.remove()


def is_ready(cluster: Cluster, pod: str) -> bool:
    """Return whether a Pod of monitoring is ready."""
    conditions = cluster.core.read_namespaced_pod(pod, NAMESPACE).status.conditions or ()
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)


Break = Callable[[MonitoredCluster], Any]

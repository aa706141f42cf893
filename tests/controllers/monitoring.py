"""A real Prometheus and a real Alertmanager on this machine, an exporter and a receiver of notifications."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from aiplatform.observability.alertmanager import FOLDER, configuration
from aiplatform.observability.notifications import Notifications
from aiplatform.observability.rule_types import RuleGroup
from tests.components.aiplatform.observability.rules import promtool
from twin.instances import free_ports
from twin.tests.waiting import eventually
from twin.toolchain import build


@dataclass
class Endpoints:
    """What exporters serve, by job, and what receivers got, by name."""

    metrics: dict[str, str]
    port: int = 0
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def alerts(self, receiver: str, name: str) -> list[dict[str, Any]]:
        """Return the alerts of a name that a receiver got."""
        messages = self.messages.get(receiver, [])
        alerts = (alert for message in messages for alert in message["alerts"])
        return [alert for alert in alerts if alert["labels"]["alertname"] == name]


@dataclass(frozen=True)
class Monitoring:
    """Prometheus with its rules, and Alertmanager."""

    endpoints: Endpoints
    prometheus: str
    alertmanager: str
    folder: Path
    """That with the files of receivers."""

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression, now."""
        answer = requests.get(f"{self.prometheus}/api/v1/query", {"query": expression}, timeout=10)
        answer.raise_for_status()
        return answer.json()["data"]["result"]


@contextmanager
def monitoring(
    folder: Path,
    groups: tuple[RuleGroup, ...],
    notifications: Notifications,
    metrics: dict[str, str],
    exporters: Mapping[str, str] = MappingProxyType({}),
    stored: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Monitoring]:
    """Start all of them. The rules are the program's; of Alertmanager's configuration only the folder of
    credentials and the times of groups differ. exporters: job -> host and port of an exporter that runs.
    stored: job -> a pattern of the names of the series that are stored."""
    tools = build.ensure(["promtool", "prometheus", "amtool", "alertmanager"])
    endpoints = Endpoints(metrics)
    with ExitStack() as stack:
        endpoints.port = stack.enter_context(_served(endpoints))
        alertmanager_port, prometheus_port = free_ports(2)
        document = _alertmanager(folder, notifications, endpoints.port)
        _checked(tools["amtool"], "check-config", document)
        stack.enter_context(
            _process(
                folder,
                tools["alertmanager"],
                f"--config.file={document}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                "--cluster.listen-address=",
            )
        )
        promtool.rules_file(groups, folder / "rules.json")
        configured = _prometheus(folder, metrics, exporters, endpoints.port, alertmanager_port, stored)
        _checked(tools["promtool"], "check", "config", configured)
        stack.enter_context(
            _process(
                folder,
                tools["prometheus"],
                f"--config.file={configured}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{prometheus_port}",
            )
        )
        local = "http://127.0.0.1"
        result = Monitoring(endpoints, f"{local}:{prometheus_port}", f"{local}:{alertmanager_port}", folder)
        eventually("Prometheus is ready", lambda: _is_ready(result.prometheus))
        yield result


def routes_of(labels: Mapping[str, str], notifications: Notifications, folder: Path) -> str:
    """Return the receivers of an alert, by amtool."""
    amtool = build.ensure(["amtool"])["amtool"]
    path = folder / "routes.json"
    path.write_text(json.dumps(configuration(notifications)), encoding="utf-8")
    pairs = [f"{name}={value}" for name, value in labels.items()]
    return _checked(amtool, "config", "routes", "test", f"--config.file={path}", *pairs).strip()


def _alertmanager(folder: Path, notifications: Notifications, port: int) -> Path:
    text = json.dumps(configuration(notifications)).replace(FOLDER, str(folder))
    for receiver in notifications.receivers:
        url = f"http://127.0.0.1:{port}/receivers/{receiver.name}"
        (folder / f"{receiver.name}-webhook").write_text(url, encoding="utf-8")
    document = json.loads(text)
    for route in (document["route"], *document["route"]["routes"]):
        route.update({"group_wait": "1s", "group_interval": "1s"})
    path = folder / "alertmanager.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _prometheus(
    folder: Path,
    metrics: Mapping[str, str],
    exporters: Mapping[str, str],
    port: int,
    alertmanager_port: int,
    stored: Mapping[str, str],
) -> Path:
    here = f"127.0.0.1:{port}"
    document = {
        "global": {
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "evaluation_interval": "1s",
            "external_labels": {"cluster": "acme-prod"},
        },
        "rule_files": ["rules.json"],
        "alerting": {"alertmanagers": [_targets(f"127.0.0.1:{alertmanager_port}")]},
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": path,
                "honor_labels": True,
                **_targets(target),
                **({"metric_relabel_configs": [_stored(stored[job])]} if job in stored else {}),
            }
            for job, path, target in (
                *((job, f"/{job}", here) for job in metrics),
                *((job, "/metrics", target) for job, target in exporters.items()),
            )
        ],
    }
    path = folder / "prometheus.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _stored(pattern: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": ["__name__"], "regex": pattern}


def _targets(target: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [target]}]}


def _checked(tool: Path, *arguments: str | Path) -> str:
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _is_ready(url: str) -> bool:
    return requests.get(f"{url}/-/ready", timeout=5).ok


@contextmanager
def _process(folder: Path, tool: Path, *arguments: str) -> Iterator[None]:
    with (folder / f"{tool.name}.log").open("w") as log:
        process = subprocess.Popen(
            [tool, *arguments], cwd=folder, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]}
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def _served(endpoints: Endpoints) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = endpoints.metrics[self.path.strip("/")].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver = self.path.rpartition("/")[2]
            endpoints.messages.setdefault(receiver, []).append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

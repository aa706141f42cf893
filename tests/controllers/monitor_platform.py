"""The platform of lifecycle_platform.py with a monitor of the model: KServe's agent stores the requests of
its service, and the Pushgateway runs. Both are real, in Pods that run as processes.

The agent's clock is that of the machine: the test dates what it stored back. The monitor is suspended, so
that none of its Jobs stores requests before.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml
from kubernetes import client

from aiplatform.addons.catalog import catalog
from aiplatform.addons.values.prometheus_pushgateway import PORT
from aiplatform.model_monitor import ModelMonitor
from aiplatform.model_monitor.args import PUSHGATEWAY
from aiplatform.model_monitor.namespaces import cron_job
from stacks.model_monitor_arguments import request_logs
from tests.controllers import lifecycle_platform
from tests.controllers.lifecycle_platform import MODEL, SERVICE, LifecycleTeams, Platform
from tests.controllers.monitored import storage_class
from tests.controllers.training_platform import REGISTRY, TEAM, Parts, Variant
from twin.kubernetes.processes import addresses

MONITOR: Final = f"{REGISTRY}/platform/model-monitor@sha256:{'3' * 64}"
COOLDOWN_HOURS: Final = 72
MINIMUM_ROWS: Final = 300
_IMAGES: Final = f"""{lifecycle_platform.IMAGES}
["platform/model-monitor"]
folder = "containers/model_monitor"
environment = "containers/model_monitor"
"""
_EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "model-monitoring" / "environment.yaml"
_OWN_COLUMNS: Final = 7
"""Of the table of requests in the example: the columns of each such table."""


def _tables() -> list[Any]:
    """Return both tables as the example declares them, with the columns of this model."""
    example: Any = yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))
    requests, results = example["ai-platform:lakehouse"]["tables"]
    columns: Any = [
        *requests["columns"][:_OWN_COLUMNS],
        {"name": "tenure", "type": "double"},
        {"name": "orders", "type": "double"},
        {"name": "leaves", "type": "string"},
    ]
    return [{**requests, "name": "churn_requests", "columns": columns}, results]


class MonitoredTeams(LifecycleTeams):
    """The teams, with a monitor of the model."""

    tables = _tables()
    registries = (*LifecycleTeams.registries, "docker.io/kserve")

    def _more(self, parts: Parts) -> None:
        before = [self._pipelines(parts), self._gateway(parts)]
        trained = self._continuous(parts, [*before, parts.store])
        monitor = self._monitor(parts, trained.outputs["queues"])
        served = {"request_log": {"batch_seconds": 2}}
        self._serving(parts, before, served, request_logs=request_logs(monitor.outputs, "aws"))
        pulumi.export("monitor", monitor.outputs)

    def _monitor(self, parts: Parts, queues: Any) -> ModelMonitor:
        tables = f"{parts.prefix.replace('-', '_')}_curated"
        monitor = {
            "owner": "research@acme.example",
            "service": SERVICE,
            "requests_table": f"{tables}.churn_requests",
            "results_table": f"{tables}.monitor_results",
            "baseline_table": f"{tables}.customers",
            "columns": [{"name": "tenure", "type": "number"}, {"name": "orders", "type": "number"}],
            "predictions": [{"name": "leaves", "type": "category", "baseline_column": "churned"}],
            # The model was logged without a signature.
            "input_order": ["tenure", "orders"],
            "min_rows": MINIMUM_ROWS,
            "delay_minutes": 2,
            "join_minutes": 1,
            "cooldown_hours": COOLDOWN_HOURS,
            "suspended": True,
        }
        arguments: Any = {
            "prefix": parts.prefix,
            "cluster": parts.cluster,
            "image": MONITOR,
            # An answer is waited for a minute, and windows end two minutes ago.
            "compact_schedule": "* * * * *",
            "pushgateway": {"namespace": catalog()[PUSHGATEWAY].namespace},
            "force_destroy": True,
            "teams": {
                TEAM: {
                    "namespace": TEAM,
                    "identity": parts.identities[TEAM].outputs,
                    "queue": pulumi.Output.from_input(queues).apply(lambda known: known[TEAM]),
                    "monitors": {MODEL: monitor},
                }
            },
        }
        return ModelMonitor("monitor", arguments, pulumi.ResourceOptions(depends_on=[parts.teams]))


VARIANT: Final[Variant] = dataclasses.replace(
    lifecycle_platform.VARIANT,
    name="model-monitor",
    controllers=f"{lifecycle_platform.VARIANT.controllers},kserve-agent,pushgateway",
    addons=(*lifecycle_platform.ADDONS, PUSHGATEWAY),
    images=_IMAGES,
    teams=MonitoredTeams,
    objects=[storage_class()],
)


@dataclasses.dataclass(frozen=True)
class Monitor:
    """The monitor of the model, its requests and its Jobs."""

    platform: Platform

    @property
    def outputs(self) -> dict[str, Any]:
        """Those of the component."""
        return self.platform.teams.stack.outputs()["monitor"].value

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Return the key of an object of the agent -> the records in it."""
        s3, bucket = self.platform.cluster.plain.aws("s3"), self.outputs["bucket"]
        stored: dict[str, list[dict[str, Any]]] = {}
        for key in self.platform.base.keys(bucket, f"logs/{TEAM}/"):
            document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            stored[key] = document if isinstance(document, list) else [document]
        return stored

    def date_back(self, hours: int) -> None:
        """Date what the agent stored some hours back."""
        s3, bucket = self.platform.cluster.plain.aws("s3"), self.outputs["bucket"]
        for key, records in self.records().items():
            for record in records:
                # Go's nanoseconds are more than Python reads.
                stored = datetime.fromisoformat(record["occurrenceTime"][:19] + "+00:00")
                record["occurrenceTime"] = (stored - timedelta(hours=hours)).isoformat()
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(records).encode())

    def run(self, command: str, *arguments: str) -> str:
        """Run a Job of a CronJob now, as `kubectl create job --from` does, and return its log. arguments:
        further ones."""
        cluster = self.platform.cluster
        source = cluster.batch.read_namespaced_cron_job(cron_job(command, MODEL), TEAM)
        spec: Any = cluster.api.sanitize_for_serialization(source.spec.job_template)
        spec["spec"]["template"]["spec"]["containers"][0]["args"] += arguments
        metadata = {"generateName": f"{command}-", "labels": spec["metadata"]["labels"]}
        body = {"metadata": metadata, "spec": spec["spec"]}
        name = cluster.batch.create_namespaced_job(TEAM, body).metadata.name

        def ended() -> str | None:
            status = cluster.batch.read_namespaced_job(name, TEAM).status
            conditions = {entry.type for entry in status.conditions or () if entry.status == "True"}
            return next((kind for kind in ("Complete", "Failed") if kind in conditions), None)

        result = self.platform.eventually(f"the end of {name}", ended, 300, TEAM)
        log = self._log(name)
        assert result == "Complete", log
        return log

    def _log(self, job: str) -> str:
        core = self.platform.cluster.core
        pods = core.list_namespaced_pod(TEAM, label_selector=f"batch.kubernetes.io/job-name={job}").items
        texts: list[str] = []
        for pod in pods:
            try:
                texts.append(core.read_namespaced_pod_log(pod.metadata.name, TEAM))
            except client.ApiException as error:
                texts.append(f"{pod.metadata.name}: {error.reason}")
        return "\n".join(texts)

    def report(self, member: str) -> dict[str, Any]:
        """Return what `aiplatform monitor report --json` prints for a member: the last row."""
        words = ["monitor", "report", lifecycle_platform.ENVIRONMENT, f"{TEAM}/{MODEL}", "--json"]
        file = self.platform.kubeconfig(member)
        return json.loads(self.platform.cluster.plain.cli(*words, "--kubeconfig", str(file)).stdout)

    def html(self, uri: str) -> str:
        """Return a report of the bucket."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3 = self.platform.cluster.plain.aws("s3")
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    def gateway(self) -> str:
        """Return where the Pushgateway listens on this machine."""
        [pod] = self.platform.cluster.core.list_namespaced_pod(catalog()[PUSHGATEWAY].namespace).items
        return f"{addresses.loopback(pod.status.pod_ip)}:{PORT}"

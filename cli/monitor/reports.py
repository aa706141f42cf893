"""The last result of a monitor, as a Job of its program prints it: with the identity of the team, which reads
the table of results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.maintenance.cluster import client_of
from cli.model.jobs import errors
from cli.output import CommandError

CRON_JOB: Final = "model-monitor-compare-"
"""The first part of the name of the CronJob that compares (component ModelMonitor)."""
CONTAINER: Final = "main"
_JOB_NAME: Final = "batch.kubernetes.io/job-name"
_RIGHTS: Final = "expected a member of the team with the right to create Jobs in its namespace"
_KEPT_SECONDS: Final = 600
Object = dict[str, Any]


@dataclass
class Reports:
    """The monitors of a cluster. api: of the client `kubernetes`. seconds: the limit of the wait. interval:
    between two looks, seconds."""

    api: Any
    seconds: float = 600
    interval: float = 2
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        from kubernetes import client

        self._core: Any = client.CoreV1Api(self.api)
        self._batch: Any = client.BatchV1Api(self.api)

    @classmethod
    def of(cls, file: Path, seconds: float) -> Reports:
        """Connect by a kubeconfig. Raises CommandError for one that is none."""
        return cls(client_of(file, 120), seconds)

    def last(self, namespace: str, model: str) -> Object:
        """Return the last result of a model: a row of the table of results. Raises CommandError where there
        is no monitor or no result, and where the user has no right to it."""
        with errors(_RIGHTS):
            name = self._batch.create_namespaced_job(namespace, self._job(namespace, model)).metadata.name
            finished = self._wait(namespace, name)
            lines = self._log(namespace, name)
        if finished != "Complete":
            reasons = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            raise CommandError(reasons[-1] if reasons else f"Job {namespace}/{name} failed: {finished}")
        results = [line for line in lines if line.startswith("{")]
        if not results:
            raise CommandError(f"Job {namespace}/{name} ended without a result")
        return json.loads(results[-1])

    def _job(self, namespace: str, model: str) -> Object:
        """Return a Job as the CronJob creates it, but for its command."""
        from kubernetes.client import ApiException

        try:
            cron_job: Any = self._batch.read_namespaced_cron_job(f"{CRON_JOB}{model}", namespace)
        except ApiException as error:
            if error.status != 404:
                raise
            raise CommandError(
                f"model {model!r} has no monitor in the namespace {namespace}; expected it in "
                "ai-platform:model_monitor, or the namespace by --namespace"
            ) from error
        template: Object = self.api.sanitize_for_serialization(cron_job.spec.job_template)
        labels = (template.get("metadata") or {}).get("labels", {})
        spec: Object = {**template["spec"], "backoffLimit": 0, "ttlSecondsAfterFinished": _KEPT_SECONDS}
        pod: Object = spec["template"]["spec"]
        for container in pod["containers"]:
            if container["name"] == CONTAINER:
                container["args"] = ["report", model]
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "generateName": f"model-monitor-report-{model}-",
                "namespace": namespace,
                "labels": labels,
                "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            },
            "spec": spec,
        }

    def _wait(self, namespace: str, name: str) -> str:
        """Return `Complete`, or why the Job failed."""
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            for condition in self._batch.read_namespaced_job(name, namespace).status.conditions or ():
                if condition.status == "True" and condition.type in ("Complete", "Failed"):
                    return (
                        "Complete" if condition.type == "Complete" else condition.message or condition.reason
                    )
            self.sleep(self.interval)
        raise CommandError(
            f"Job {namespace}/{name} has not ended within {self.seconds / 60:.0f} minutes: "
            f"kubectl describe job -n {namespace} {name}"
        )

    def _log(self, namespace: str, name: str) -> list[str]:
        pods = self._core.list_namespaced_pod(namespace, label_selector=f"{_JOB_NAME}={name}").items
        texts = [
            self._core.read_namespaced_pod_log(pod.metadata.name, namespace, container=CONTAINER)
            for pod in pods
        ]
        return [line for text in texts for line in text.splitlines()]

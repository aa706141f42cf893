"""Jobs of the program that releases models (containers/model_release), created as the calling user.

An admission policy compares the annotation with the approver with the user who creates the Job, and admits
this form of a Job only.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.maintenance.cluster import client_of, message
from cli.output import CommandError, note

NAMESPACE: Final = "release"
CONFIGURATION: Final = "model-release"
"""The ConfigMap of the namespace with the image and the settings of the program."""
APPROVED_BY: Final = "ai-platform/approved-by"
LABEL: Final = "ai-platform/release-job"
"""The label of the Pods, by which network policies select them. Its value is the ServiceAccount."""
PROGRAM: Final = "model-release"
_FILES: Final = "model-release-files"
_JOB_NAME: Final = "batch.kubernetes.io/job-name"
_REFUSED: Final = 2
"""The exit code of a command that is refused, which the Job does not run again."""
_SECONDS: Final = 6 * 3600
"""The limit of a Job. The admission policy admits no longer one."""
DISK_GIB: Final = 10
"""Disk of the node for a Job, by default: one file of a model at a time is in its volume."""
_USER: Final = 65532
_RIGHTS: Final = "expected a member of the release group (argument `release_group` of the model store)"
Object = dict[str, Any]


def job(
    image: str, approver: str, arguments: Sequence[str], *, label: str, disk_gib: int = DISK_GIB
) -> Object:
    """Return a Job. approver: the user, as the cluster authenticates it. arguments: of the program. label:
    part of its name. disk_gib: the largest file of the model."""
    command = arguments[0]
    account = "importer" if command == "import" else "promoter"
    # A name has at most 63 characters, and the API server adds five.
    name = re.sub(r"[^a-z0-9-]+", "-", f"{command}-{label}".lower())[:50].strip("-")
    annotations = {APPROVED_BY: approver}
    labels = {"app.kubernetes.io/name": PROGRAM, LABEL: account}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "generateName": f"{name}-",
            "namespace": NAMESPACE,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "backoffLimit": 3,
            # Of all attempts together: those that a node evicts do not count as failures.
            "activeDeadlineSeconds": _SECONDS,
            "ttlSecondsAfterFinished": 86400,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "FailJob",
                        "onExitCodes": {
                            "containerName": PROGRAM,
                            "operator": "In",
                            "values": [_REFUSED],
                        },
                    },
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    },
                ]
            },
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": _pod(image, account, arguments, f"{disk_gib}Gi"),
            },
        },
    }


def _pod(image: str, account: str, arguments: Sequence[str], disk: str) -> Object:
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": PROGRAM,
                "image": image,
                "args": list(arguments),
                "envFrom": [{"configMapRef": {"name": CONFIGURATION}}],
                "env": [
                    {
                        "name": "APPROVED_BY",
                        "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{APPROVED_BY}']"}},
                    }
                ],
                "resources": {
                    # Equal, so that this Pod never fills the node: it is evicted before, which counts as a
                    # failure. An eviction from a full node does not.
                    "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": disk},
                    "limits": {"memory": "2Gi", "ephemeral-storage": disk},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "work", "mountPath": "/tmp"},  # noqa: S108 - a volume of the Pod
                    {"name": "files", "mountPath": "/etc/model-release", "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": disk}},
            {"name": "files", "configMap": {"name": _FILES, "optional": True}},
        ],
    }


@dataclass
class Releases:
    """The namespace of releases of a cluster. api: of the client `kubernetes`. seconds: the limit of a Job.
    interval: between two looks, seconds."""

    api: Any
    seconds: float = 7200
    interval: float = 2
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        from kubernetes import client

        self._core: Any = client.CoreV1Api(self.api)
        self._batch: Any = client.BatchV1Api(self.api)
        self._authentication: Any = client.AuthenticationV1Api(self.api)

    @classmethod
    def of(cls, file: Path, seconds: float) -> Releases:
        """Connect by a kubeconfig. Raises CommandError for one that is none."""
        return cls(client_of(file, 120), seconds)

    def run(self, arguments: Sequence[str], *, label: str, disk_gib: int = DISK_GIB) -> Any:
        """Run a command of the program as a Job, note its log, and return its result. disk_gib: the largest
        file of the model.

        Raises CommandError where the user has no right to it, and with the reason where it is refused.
        """
        with errors():
            body = job(self._image(), self._user(), arguments, label=label, disk_gib=disk_gib)
            name = self._batch.create_namespaced_job(NAMESPACE, body).metadata.name
        try:
            with errors():
                return self._result(name)
        except KeyboardInterrupt:
            note(f"the Job continues: kubectl logs -n {NAMESPACE} -f job/{name}")
            raise

    def _user(self) -> str:
        """Return the user, as the API server authenticates it."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        return self._authentication.create_self_subject_review(body).status.user_info.username

    def _image(self) -> str:
        from kubernetes.client import ApiException

        try:
            data = self._core.read_namespaced_config_map(CONFIGURATION, NAMESPACE).data or {}
        except ApiException as error:
            if error.status != 404:
                raise
            data = {}
        image = data.get("IMAGE")
        if not image:
            raise CommandError(
                f"the cluster has no image of the program that releases models (ConfigMap {NAMESPACE}/"
                f"{CONFIGURATION}, IMAGE); expected the topic ai-platform:model_store with `image`"
            )
        return image

    def _result(self, name: str) -> Any:
        deadline = time.monotonic() + self.seconds
        logs, waiting, evicted = dict[str, list[str]](), "", ""
        while True:
            finished = self._finished(name)
            for pod in self._pods(name):
                if pod.status.reason == "Evicted":
                    evicted = pod.status.message or ""
                if pod.status.phase == "Pending":
                    waiting = self._note_waiting(pod, waiting)
                else:
                    self._note_log(pod, logs)
            if finished is not None:
                lines = [line for pod in logs.values() for line in pod]
                if finished == "Complete":
                    return _succeeded(lines, name)
                return _failed(lines, name, f"{finished} ({evicted})" if evicted else finished)
            if time.monotonic() >= deadline:
                raise CommandError(
                    f"Job {NAMESPACE}/{name} has not ended within {self.seconds / 60:.0f} minutes, and "
                    f"continues{waiting and f' ({waiting})'}"
                )
            self.sleep(self.interval)

    def _finished(self, name: str) -> str | None:
        """Return `Complete`, or why a Job failed; None while it runs."""
        for condition in self._batch.read_namespaced_job(name, NAMESPACE).status.conditions or ():
            if condition.status == "True" and condition.type in ("Complete", "Failed"):
                return "Complete" if condition.type == "Complete" else condition.message or condition.reason
        return None

    def _pods(self, name: str) -> list[Any]:
        pods = self._core.list_namespaced_pod(NAMESPACE, label_selector=f"{_JOB_NAME}={name}").items
        return sorted(pods, key=lambda pod: pod.metadata.creation_timestamp)

    def _note_waiting(self, pod: Any, before: str) -> str:
        """Note why a Pod does not start yet, where that changed; return it."""
        reasons = [
            state.message or state.reason
            for status in pod.status.container_statuses or ()
            if (state := status.state.waiting) and state.reason != "ContainerCreating"
        ]
        reasons += [
            condition.message
            for condition in pod.status.conditions or ()
            if condition.type == "PodScheduled" and condition.status == "False" and condition.message
        ]
        reason = "; ".join(filter(None, reasons))
        if reason and reason != before:
            note(f"waiting: {reason}")
        return reason or before

    def _note_log(self, pod: Any, logs: dict[str, list[str]]) -> None:
        """Note the lines of a Pod's log that are new."""
        from kubernetes.client import ApiException

        try:
            text = self._core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE, container=PROGRAM)
        except ApiException as error:
            # It has not started yet, or is gone with its node.
            if error.status not in (400, 404):
                raise
            return
        lines = logs.setdefault(pod.metadata.name, [])
        # The last line of a program that runs may be a part of one.
        complete = text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]
        for line in complete[len(lines) :]:
            if not _is_result(line):
                note(line)
        lines[:] = complete


def _is_result(line: str) -> bool:
    return line.startswith('{"result":')


def _succeeded(lines: Sequence[str], name: str) -> Any:
    for line in reversed(lines):
        if _is_result(line):
            return json.loads(line)["result"]
    raise CommandError(f"Job {NAMESPACE}/{name} ended without a result")


def _failed(lines: Sequence[str], name: str, reason: str) -> Any:
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if starts:
        raise CommandError("\n".join(lines[starts[-1] :]).removeprefix("error: "))
    raise CommandError(f"Job {NAMESPACE}/{name} failed: {reason}")


@contextmanager
def errors(rights: str = _RIGHTS) -> Iterator[None]:
    """Raise CommandError where the cluster refuses a request or does not answer. rights: what is
    expected of a user without the right."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        if error.status == 403:
            raise CommandError(f"no right to it: {message(error)}; {rights}") from error
        raise CommandError(
            f"the cluster refused a request: {message(error)} (status {error.status})"
        ) from error
    except HTTPError as error:
        raise CommandError(f"the cluster does not answer: {error}") from error

"""TrainJobs of a workflow: each is created once, and waited for."""

from __future__ import annotations

import string
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from training_steps.declaration import Job
from training_steps.errors import RefusedError

GROUP, VERSION, PLURAL = "trainer.kubeflow.org", "v1alpha1", "trainjobs"
QUEUE: Final = "default"
_SECONDS: Final = 10
Object = dict[str, Any]


@dataclass(frozen=True)
class Owner:
    """The workflow: what it created is deleted with it."""

    name: str
    uid: str


def manifest(name: str, owner: Owner, job: Job, values: Mapping[str, str]) -> Object:
    """Return a TrainJob. values: variables of its nodes, which its arguments may name (`${TABLE}`).

    Empty values and lists are left out, as Kueue leaves them out when it resumes the job: of a TrainJob that
    has them it would change a field that nothing may change, and it would never begin.

    Raises RefusedError for an argument that names another one."""
    known = {**values, "IMAGE": job.image, "CODE_COMMIT": job.code_commit}
    try:
        arguments = [string.Template(argument).substitute(known) for argument in job.args]
    except (KeyError, ValueError) as error:
        raise RefusedError(
            f"args: unknown placeholder {error}; expected one of {', '.join(known)}"
        ) from error
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TrainJob",
        "metadata": {
            "name": name,
            "labels": {
                "kueue.x-k8s.io/queue-name": QUEUE,
                "kueue.x-k8s.io/priority-class": job.priority_class,
            },
            "ownerReferences": [
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Workflow",
                    "name": owner.name,
                    "uid": owner.uid,
                }
            ],
        },
        "spec": {
            "runtimeRef": {"name": job.runtime},
            "trainer": {
                "image": job.image,
                "numNodes": job.nodes,
                **({"args": arguments} if arguments else {}),
                "env": [{"name": key, **({"value": value} if value else {})} for key, value in known.items()],
            },
        },
    }


def ended(job: Object) -> tuple[bool, str] | None:
    """Return whether a TrainJob succeeded, and its message; None while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed"):
            return condition["type"] == "Complete", condition.get("message") or condition.get("reason") or ""
    return None


@dataclass
class Jobs:
    """The TrainJobs of a namespace. api: CustomObjectsApi of the client `kubernetes`."""

    api: Any
    namespace: str
    sleep: Callable[[float], None] = time.sleep

    def run(self, body: Object) -> None:
        """Create a TrainJob, unless an earlier attempt of the step did, and wait for its end. Raises
        RefusedError where it failed."""
        from kubernetes.client import ApiException

        name = body["metadata"]["name"]
        try:
            self.api.create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, body)
        except ApiException as error:
            if error.status in (400, 403, 422):
                raise RefusedError(f"TrainJob {self.namespace}/{name}: {error.body}") from error
            if error.status != 409:
                raise
        sys.stderr.write(f"TrainJob {self.namespace}/{name}\n")
        while True:
            job = self.api.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name)
            end = ended(job)
            if end is not None:
                break
            self.sleep(_SECONDS)
        succeeded, message = end
        if not succeeded:
            raise RefusedError(f"TrainJob {self.namespace}/{name} failed: {message}")

    def stop(self, name: str) -> None:
        """Delete a TrainJob that may not exist."""
        from kubernetes.client import ApiException

        try:
            self.api.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name)
        except ApiException as error:
            if error.status != 404:
                raise

"""TrainJobs of a workflow."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import COMMIT, IMAGE, job
from kubernetes.client import ApiException

from training_steps.declaration import Job
from training_steps.errors import RefusedError
from training_steps.jobs import Jobs, Owner, manifest

OWNER = Owner("train-fares-1", "uid")
VALUES = {"TABLE": "curated.orders", "SNAPSHOT": "5", "RUN_NAME": "train-fares-1"}


def _condition(kind: str, message: str = "") -> Any:
    return {"status": {"conditions": [{"type": kind, "status": "True", "message": message}]}}


class Api:
    """TrainJobs of a cluster. states: what it answers, one after the other. status: of a creation."""

    def __init__(self, *states: Any, status: int = 0) -> None:
        self.created: list[Any] = []
        self.deleted: list[str] = []
        self._states = list(states)
        self._status = status

    def create_namespaced_custom_object(self, *path: Any) -> None:
        if self._status:
            raise ApiException(status=self._status)
        self.created.append(path[-1])

    def get_namespaced_custom_object(self, *_: Any) -> Any:
        return self._states.pop(0)

    def delete_namespaced_custom_object(self, *path: Any) -> None:
        if self._status:
            raise ApiException(status=self._status)
        self.deleted.append(path[-1])


def _manifest() -> Any:
    return manifest("train-fares-1", OWNER, Job.model_validate(job()), VALUES)


def test_job_has_the_snapshot_and_belongs_to_the_workflow() -> None:
    body = _manifest()
    trainer = body["spec"]["trainer"]
    assert trainer["args"] == ["--table=curated.orders", "--snapshot=5", "--run-name=train-fares-1"]
    variables = {entry["name"]: entry["value"] for entry in trainer["env"]}
    assert variables == {**VALUES, "IMAGE": IMAGE, "CODE_COMMIT": COMMIT}
    assert body["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "default"
    assert body["metadata"]["ownerReferences"][0]["uid"] == "uid"


def test_job_has_no_empty_values_which_kueue_would_leave_out_of_an_immutable_field() -> None:
    values = {**VALUES, "CHAMPION": ""}
    body = manifest("train-fares-1", OWNER, Job.model_validate(job(args=[])), values)
    trainer = body["spec"]["trainer"]
    assert {"name": "CHAMPION"} in trainer["env"], "Kubernetes then sets an empty variable"
    assert "args" not in trainer


def test_unknown_placeholder_is_refused() -> None:
    with pytest.raises(RefusedError, match="unknown placeholder 'SNAPSHT'"):
        manifest("a", OWNER, Job.model_validate(job(args=["${SNAPSHT}"])), VALUES)


def _jobs(api: Api) -> Jobs:
    return Jobs(api, "pricing", sleep=lambda _: None)


def test_step_waits_for_the_end_of_its_job() -> None:
    api = Api({}, _condition("Suspended"), _condition("Complete"))
    _jobs(api).run(_manifest())
    assert len(api.created) == 1


def test_step_that_runs_again_waits_for_the_job_of_its_first_attempt() -> None:
    _jobs(Api(_condition("Complete"), status=409)).run(_manifest())


def test_job_that_fails_is_an_error_that_is_not_repeated() -> None:
    with pytest.raises(RefusedError, match="failed: node 1 exited with 1"):
        _jobs(Api(_condition("Failed", "node 1 exited with 1"))).run(_manifest())


def test_refused_job_is_not_repeated_and_a_server_that_fails_is() -> None:
    with pytest.raises(RefusedError):
        _jobs(Api(status=403)).run(_manifest())
    with pytest.raises(ApiException):
        _jobs(Api(status=500)).run(_manifest())


def test_jobs_of_a_stopped_workflow_are_deleted() -> None:
    api = Api()
    _jobs(api).stop("train-fares-1")
    assert api.deleted == ["train-fares-1"]
    _jobs(Api(status=404)).stop("train-fares-1")

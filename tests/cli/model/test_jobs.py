"""Jobs that release models: their form, their log, and their errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException

from cli.model import jobs
from cli.model.jobs import Releases, job
from cli.output import CommandError

IMAGE = "registry.example/model-release@sha256:" + "a" * 64
USER = "arn:aws:sts::111122223333:assumed-role/releases/ada"
RESULT = {"version": "7"}
DONE = f"copy MLmodel\n{json.dumps({'result': RESULT})}\n"


def refusal(status: int, text: str = "") -> ApiException:
    error = ApiException(status=status, reason=text)
    error.body = json.dumps({"message": text})
    return error


class Cluster:
    """The API of a cluster, in which a Job's Pods end with recorded logs.

    steps: the Pods at each look, name -> (phase, log); the Job ends at the last one with `end`.
    """

    def __init__(
        self,
        steps: list[dict[str, tuple[str, str]]],
        end: tuple[str, str] = ("Complete", ""),
        data: dict[str, str] | None = None,
        refused: ApiException | None = None,
        evicted: str | None = None,
    ) -> None:
        self.steps, self.end, self.refused, self.evicted = steps, end, refused, evicted
        self.data = {"IMAGE": IMAGE} if data is None else data
        self.created: list[Any] = []
        self.look = 0

    def create_self_subject_review(self, body: Any) -> Any:
        user = SimpleNamespace(username=USER)
        return SimpleNamespace(status=SimpleNamespace(user_info=user))

    def read_namespaced_config_map(self, name: str, namespace: str) -> Any:
        if not self.data:
            raise refusal(404)
        return SimpleNamespace(data=self.data)

    def create_namespaced_job(self, namespace: str, body: Any) -> Any:
        if self.refused:
            raise self.refused
        self.created.append(body)
        return SimpleNamespace(metadata=SimpleNamespace(name="promote-fares-x1"))

    def read_namespaced_job(self, name: str, namespace: str) -> Any:
        ended = self.look >= len(self.steps) - 1
        kind, text = self.end
        condition = SimpleNamespace(type=kind, status="True", message=text, reason="")
        return SimpleNamespace(status=SimpleNamespace(conditions=[condition] if ended else None))

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        pods = self.steps[min(self.look, len(self.steps) - 1)]
        waiting = SimpleNamespace(message="Back-off pulling image", reason="ImagePullBackOff")
        return SimpleNamespace(
            items=[
                SimpleNamespace(
                    metadata=SimpleNamespace(name=name, creation_timestamp=start + timedelta(minutes=number)),
                    status=SimpleNamespace(
                        phase=phase,
                        reason="Evicted" if phase == "Failed" and self.evicted else None,
                        message=self.evicted,
                        conditions=[],
                        container_statuses=[SimpleNamespace(state=SimpleNamespace(waiting=waiting))],
                    ),
                )
                for number, (name, (phase, _)) in enumerate(pods.items())
            ]
        )

    def read_namespaced_pod_log(self, name: str, namespace: str, container: str) -> str:
        return self.steps[min(self.look, len(self.steps) - 1)][name][1]

    def next(self, _seconds: float) -> None:
        self.look += 1


def releases(cluster: Cluster, seconds: float = 60) -> Releases:
    opened = Releases(None, seconds, sleep=cluster.next)
    opened._core = opened._batch = opened._authentication = cluster
    return opened


def test_job_states_the_approver_where_a_policy_compares_it() -> None:
    body = job(IMAGE, USER, ["promote", "--", "pricing/fares", "7"], label="fares")
    template = body["spec"]["template"]
    assert body["metadata"]["annotations"] == template["metadata"]["annotations"] == {jobs.APPROVED_BY: USER}
    [container] = template["spec"]["containers"]
    assert container["env"] == [
        {
            "name": "APPROVED_BY",
            "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['ai-platform/approved-by']"}},
        }
    ], "the program has the approver from what the policy has compared"
    assert "command" not in container
    assert template["spec"]["serviceAccountName"] == "promoter"
    assert template["metadata"]["labels"][jobs.LABEL] == "promoter"


def test_job_that_imports_has_the_account_that_writes_no_release() -> None:
    template = job(IMAGE, USER, ["import"], label="fares")["spec"]["template"]
    assert template["spec"]["serviceAccountName"] == template["metadata"]["labels"][jobs.LABEL] == "importer"


def test_job_that_fills_its_disk_fails_before_the_disk_of_its_node_is_full() -> None:
    [container] = (spec := job(IMAGE, USER, ["import"], label="f", disk_gib=60)["spec"]["template"]["spec"])[
        "containers"
    ]
    for kind in ("requests", "limits"):
        assert container["resources"][kind]["ephemeral-storage"] == "60Gi"
    assert {"name": "work", "emptyDir": {"sizeLimit": "60Gi"}} in spec["volumes"]


def test_eviction_of_a_job_that_failed_is_named() -> None:
    message = 'Usage of EmptyDir volume "work" exceeds the limit "10Gi".'
    cluster = Cluster(
        [{"a": ("Failed", "")}], ("Failed", "Job has reached the backoff limit"), evicted=message
    )
    with pytest.raises(CommandError, match=r"the backoff limit \(Usage of EmptyDir volume .work. exceeds"):
        releases(cluster).run(["promote"], label="f")


@pytest.mark.parametrize("label", ["", "fares", "fare_v2", "x" * 63, "-"])
def test_name_of_a_job_is_one_that_kubernetes_accepts(label: str) -> None:
    name = job(IMAGE, USER, ["promote"], label=label)["metadata"]["generateName"]
    assert len(name) <= 58, "the API server adds five characters, of 63 that a label has"
    assert name.strip("-")[0].isalpha()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not name.endswith("--")


def test_log_is_noted_once_and_the_result_returned(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(
        [{}, {"a": ("Pending", "")}, {"a": ("Running", "copy MLm")}, {"a": ("Succeeded", DONE)}]
    )
    assert releases(cluster).run(["promote"], label="fares") == RESULT
    noted = capsys.readouterr().err.splitlines()
    assert noted == ["waiting: Back-off pulling image", "copy MLmodel"], "no half line, and not the result"


def test_job_that_continued_after_an_error_has_the_result_of_its_last_pod(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = "copy MLmodel\nerror: OSError: lost\n"
    cluster = Cluster([{"a": ("Failed", lost)}, {"a": ("Failed", lost), "b": ("Succeeded", DONE)}])
    assert releases(cluster).run(["promote"], label="fares") == RESULT
    assert capsys.readouterr().err.count("error: OSError: lost") == 1


def test_refusal_of_the_program_is_the_error_of_the_command() -> None:
    log = "copy x\nerror: version 7 of pricing/fares: no release without lineage:\n  tag a: missing\n"
    with pytest.raises(CommandError, match=r"^version 7 .*lineage:\n  tag a: missing$"):
        releases(Cluster([{"a": ("Failed", log)}], ("Failed", "exit code 2"))).run(["promote"], label="f")


def test_job_that_failed_without_an_error_of_the_program_is_named() -> None:
    with pytest.raises(CommandError, match="Job release/promote-fares-x1 failed: BackoffLimitExceeded"):
        releases(Cluster([{}], ("Failed", "BackoffLimitExceeded"))).run(["promote"], label="f")


@pytest.mark.parametrize(
    ("cluster", "error"),
    [
        (
            Cluster([{}], refused=refusal(403, "jobs.batch is forbidden: User ada cannot create")),
            "no right to it: jobs.batch is forbidden: .*expected a member of the release group",
        ),
        (Cluster([{}], refused=refusal(422, "annotation")), r"refused a request: annotation \(status 422\)"),
        (Cluster([{}], data={}), "no image of the program .*expected the topic ai-platform:model_store"),
    ],
)
def test_user_without_rights_or_a_model_store_is_refused_plainly(cluster: Cluster, error: str) -> None:
    with pytest.raises(CommandError, match=error):
        releases(cluster).run(["promote"], label="fares")
    assert cluster.created == []


def test_job_that_takes_too_long_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[dict[str, tuple[str, str]]] = [{"a": ("Pending", "")}] * 3
    with pytest.raises(CommandError, match=r"not ended within 0 minutes, and continues \(Back-off pulling"):
        releases(Cluster(steps), seconds=0).run(["promote"], label="fares")

"""Pipelines with the real controllers of Argo Workflows, its executor, and KEDA: steps run as processes with
the team's identity, and store what they produce in the bucket."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes import client

from tests.controllers.pipeline_platform import (
    IMAGE,
    KEDA,
    QUEUE,
    TEAM,
    Platform,
    created,
    step,
    template,
    workflow,
)
from twin.tests.waiting import eventually

PRODUCE: Final = """
import json, pathlib, sys
print("trained with", sys.argv[1])
pathlib.Path(sys.argv[2]).write_text(json.dumps({"rows": int(sys.argv[1])}))
pathlib.Path(sys.argv[3]).write_text("0.93")
"""
CONSUME: Final = """
import json, pathlib, sys
rows = json.loads(pathlib.Path(sys.argv[1]).read_text())["rows"]
print("evaluated", rows, "rows with", sys.argv[2])
"""
WAIT: Final = "import time; print('waiting', flush=True); time.sleep(8)"


def train() -> dict[str, Any]:
    """Return a template of two steps: the second gets a file and a parameter of the first."""
    inputs = {
        "parameters": [{"name": "score", "value": "{{steps.train.outputs.parameters.score}}"}],
        "artifacts": [{"name": "model", "from": "{{steps.train.outputs.artifacts.model}}"}],
    }
    return template(
        "train",
        {
            "name": "main",
            "steps": [
                [{"name": "train", "template": "train"}],
                [{"name": "evaluate", "template": "evaluate", "arguments": inputs}],
            ],
        },
        step(
            "train",
            PRODUCE,
            "{{workflow.parameters.rows}}",
            "/tmp/model.json",  # noqa: S108 - in the container
            "/tmp/score",  # noqa: S108
            outputs={
                "artifacts": [{"name": "model", "path": "/tmp/model.json"}],  # noqa: S108
                "parameters": [{"name": "score", "valueFrom": {"path": "/tmp/score"}}],  # noqa: S108
            },
        ),
        step(
            "evaluate",
            CONSUME,
            "/data/model.json",
            "{{inputs.parameters.score}}",
            inputs={
                "artifacts": [{"name": "model", "path": "/data/model.json"}],
                "parameters": [{"name": "score"}],
            },
        ),
        arguments={"parameters": [{"name": "rows", "value": "1"}]},
    )


@pytest.fixture(scope="module")
def platform(home: Path) -> Iterator[Platform]:
    """Two teams with pipelines, and CI, which submits those of one of them."""
    with created(home) as platform:
        platform.members["vision-owner"].create(
            train(),
            template("wait", step("main", WAIT)),
            template("fail", step("main", "raise SystemExit(3)")),
        )
        yield platform


@pytest.fixture(scope="module")
def trained(platform: Platform) -> dict[str, Any]:
    """A workflow that CI submitted, at its end."""
    rows = {"parameters": [{"name": "rows", "value": "42"}]}
    platform.members["ci"].create(workflow("of-ci", "train", arguments=rows))
    return platform.ended("of-ci")


def test_a_workflow_of_ci_runs_its_steps_and_hands_files_and_parameters_on(
    platform: Platform, trained: dict[str, Any]
) -> None:
    assert trained["status"]["phase"] == "Succeeded", trained["status"].get("message")
    logs = [platform.text(key) for key in platform.keys(f"{TEAM}/") if key.endswith("/main.log")]
    assert any("trained with 42" in text for text in logs)
    assert any("evaluated 42 rows with 0.93" in text for text in logs), "of the first step, by the bucket"


def test_artifacts_and_logs_are_below_the_prefix_of_the_namespace(
    platform: Platform, trained: dict[str, Any]
) -> None:
    keys = platform.keys()
    assert {key.partition("/")[0] for key in keys} == {TEAM}
    [model] = [key for key in keys if "/of-ci/" in key and "main.log" not in key]
    body = platform.cluster.plain.aws("s3").get_object(Bucket=platform.bucket, Key=model)["Body"].read()
    with tarfile.open(fileobj=BytesIO(body)) as archive:
        [file] = archive.getmembers()
        stream = archive.extractfile(file)
        assert stream is not None
        assert json.loads(stream.read()) == {"rows": 42}


def test_a_step_runs_in_the_teams_queue_with_its_identity(
    platform: Platform, trained: dict[str, Any]
) -> None:
    workloads = platform.cluster.workloads(TEAM)
    assert any("of-ci" in name for name in workloads), "Kueue counted its Pods"
    templates = trained["status"]["storedWorkflowTemplateSpec"]
    assert templates["serviceAccountName"] == "workloads"


def test_ci_neither_writes_templates_nor_changes_workflows(
    platform: Platform, trained: dict[str, Any]
) -> None:
    ci = platform.members["ci"]
    assert "forbidden" in ci.refusal(template("mine", step("main", "pass")))
    with pytest.raises(client.ApiException) as refused:
        ci.patch(trained, {"spec": {"shutdown": "Stop"}})
    assert refused.value.status == 403
    assert "forbidden" in ci.refusal(workflow("elsewhere", "train", "language"))
    # Argo would run it in place of the template.
    mine = {"entrypoint": "main", "templates": [step("main", "print('mine')")]}
    body = {**workflow("mine", "train"), "status": {"storedWorkflowTemplateSpec": mine}}
    assert "expected no `status`" in ci.refusal(body)


def test_ci_promotes_nothing(platform: Platform) -> None:
    ci = platform.members["ci"]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "release"}}
    if "release" not in {item["metadata"]["name"] for item in platform.cluster.list("v1", "Namespace")}:
        platform.cluster.create(namespace)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "promote", "namespace": "release"},
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": "promoter",
                    "containers": [{"name": "model-release", "image": IMAGE}],
                }
            }
        },
    }
    for item in (job, workflow("promote", "promote", "release")):
        assert "forbidden" in ci.refusal(item)


def test_a_workflow_with_templates_in_it_is_not_run(platform: Platform) -> None:
    inline = workflow("inline", "none")
    inline["spec"] = {
        "entrypoint": "main",
        "serviceAccountName": "workloads",
        "templates": [step("main", "print('mine')")],
    }
    platform.members["ci"].create(inline)
    ended = platform.ended("inline")
    assert ended["status"]["phase"] == "Error"
    assert "workflowTemplateRef" in ended["status"]["message"]


def test_a_step_whose_pod_is_lost_runs_again(platform: Platform) -> None:
    lost = workflow("lost", "wait")
    platform.members["ci"].create(lost)
    core = platform.cluster.core

    def running() -> Any:
        # As the controller knows it: a Pod that it never saw running is created again as the same step.
        nodes = (platform.cluster.get(lost).get("status") or {}).get("nodes") or {}
        if not any(node["type"] == "Pod" and node["phase"] == "Running" for node in nodes.values()):
            return None
        items = core.list_namespaced_pod(TEAM, label_selector="workflows.argoproj.io/workflow=lost").items
        return next(iter(items), None)

    first = eventually("the step", running, 90)
    # As the garbage collection of Pods whose node is gone.
    core.delete_namespaced_pod(first.metadata.name, TEAM, grace_period_seconds=0)
    ended = platform.ended("lost", 300)
    assert ended["status"]["phase"] == "Succeeded", ended["status"].get("message")
    phases = [node["phase"] for node in ended["status"]["nodes"].values() if node["type"] == "Pod"]
    assert sorted(phases) == ["Error", "Succeeded"], "the lost Pod is an error, and was repeated"


def test_a_step_whose_program_fails_is_not_repeated(platform: Platform) -> None:
    platform.members["ci"].create(workflow("failing", "fail"))
    ended = platform.ended("failing")
    assert ended["status"]["phase"] == "Failed"
    assert len([node for node in ended["status"]["nodes"].values() if node["type"] == "Pod"]) == 1


def test_a_message_in_the_queue_starts_a_job(platform: Platform) -> None:
    cluster = platform.cluster
    authentication = {
        "apiVersion": KEDA,
        "kind": "TriggerAuthentication",
        "metadata": {"name": "platform", "namespace": TEAM},
        "spec": {"podIdentity": {"provider": "aws"}},
    }
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    pod = {
        "restartPolicy": "Never",
        "containers": [
            {"name": "main", "image": IMAGE, "command": ["python", "-c", "print(1)"], "resources": resources}
        ],
    }
    scaled = {
        "apiVersion": KEDA,
        "kind": "ScaledJob",
        "metadata": {"name": "arrivals", "namespace": TEAM},
        "spec": {
            "pollingInterval": 5,
            "maxReplicaCount": 1,
            "jobTargetRef": {"template": {"spec": pod}},
            "triggers": [
                {
                    "type": "aws-sqs-queue",
                    "authenticationRef": {"name": "platform"},
                    "metadata": {
                        "queueURL": platform.queue,
                        "queueLength": "1",
                        "awsRegion": cluster.plain.instance.region,
                        "identityOwner": "operator",
                    },
                }
            ],
        },
    }
    cluster.create(authentication, scaled)

    def jobs() -> list[str]:
        items = cluster.batch.list_namespaced_job(
            TEAM, label_selector="scaledjob.keda.sh/name=arrivals"
        ).items
        return [item.metadata.name for item in items]

    assert jobs() == [], "the queue is empty"
    sqs = cluster.plain.aws("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"], MessageBody="snapshot 2")
    eventually("a Job", jobs, 120)
    cluster.delete(scaled, authentication)


def test_the_api_of_external_metrics_is_served_by_the_adapter(platform: Platform) -> None:
    item = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
    }

    def available() -> bool:
        conditions = (platform.cluster.get(item).get("status") or {}).get("conditions") or ()
        return any(entry["type"] == "Available" and entry["status"] == "True" for entry in conditions)

    eventually("the API of external metrics", available, 120)


def test_a_preview_shows_no_change(platform: Platform) -> None:
    result = platform.stack.preview()
    assert set(result.change_summary) <= {"same"}, result.stdout

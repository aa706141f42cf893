"""Continuous training with the real controller of Argo Workflows and its executor: CI starts a training, a
better version waits in `release` for a member of the release group, whose name the promotion gets, and the
team rolls it out; a worse one is not promoted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes import client

from cli.model.requests import Promotions
from cli.output import CommandError
from tests.controllers.promotion_platform import STEPS, TEAM, Platform, created
from tests.controllers.workflows import ARGO, parameters, steps, workflow

RELEASE: Final = "release"
REQUESTS: Final = "promotion-requests"
PARAMETERS: Final = ("service", "model_uri", "weights")


def rollout() -> dict[str, Any]:
    """Return a template that prints the parameters of a rollout, in place of that of serving."""
    values = [f"{{{{workflow.parameters.{name}}}}}" for name in PARAMETERS]
    container = {
        "image": STEPS,
        "command": ["python", "-c", "import sys; print(sys.argv[1:])"],
        "args": values,
    }
    return {
        "apiVersion": ARGO,
        "kind": "WorkflowTemplate",
        "metadata": {"name": "rollout", "namespace": TEAM},
        "spec": {
            "entrypoint": "main",
            "serviceAccountName": "workloads",
            "arguments": {"parameters": [{"name": name, "value": ""} for name in PARAMETERS]},
            "templates": [{"name": "main", "container": container}],
        },
    }


@pytest.fixture(scope="module")
def platform(home: Path) -> Iterator[Platform]:
    with created(home) as platform:
        platform.members["vision-owner"].create(rollout())
        yield platform


@pytest.fixture(scope="module")
def trained(platform: Platform) -> dict[str, Any]:
    """A training that CI started, at its end."""
    platform.members["ci"].create(workflow("by-ci", "train-fares", TEAM))
    return platform.ended(TEAM, "by-ci")


def test_a_training_of_ci_hands_the_pinned_snapshot_on_and_requests_a_promotion(
    platform: Platform, trained: dict[str, Any]
) -> None:
    assert trained["status"]["phase"] == "Succeeded", trained["status"].get("message")
    phases = steps(trained)
    for step in ("pin", "features", "train", "candidate", "evaluate", "register", "request"):
        assert phases[step] == "Succeeded", phases
    assert platform.messages("promotions") == 1


def test_a_worse_version_is_not_promoted(platform: Platform) -> None:
    before = platform.messages("promotions")
    platform.members["ci"].create(workflow("worse", "train-prices", TEAM))
    ended = platform.ended(TEAM, "worse")
    assert ended["status"]["phase"] == "Succeeded", ended["status"].get("message")
    phases = steps(ended)
    assert (phases["register"], phases["request"]) == ("Succeeded", "Skipped")
    assert platform.messages("promotions") == before


@pytest.fixture(scope="module")
def waiting(platform: Platform, trained: dict[str, Any]) -> dict[str, Any]:
    """The promotion that the training requested."""
    log = platform.handle(REQUESTS, TEAM, "request-1")
    items = platform.workflows(RELEASE, "promotion")
    assert len(items) == 1, log
    return items[0]


def test_a_requested_promotion_waits(platform: Platform, waiting: dict[str, Any]) -> None:
    assert waiting["spec"]["suspend"] is True
    assert platform.messages("promotions") == 0
    with pytest.raises(CommandError, match="no right to it"):
        Promotions(platform.members["ci"].api).all()
    with pytest.raises(client.ApiException) as refused:
        platform.members["ci"].patch(waiting, {"spec": {"suspend": None}})
    assert refused.value.status == 403
    assert "forbidden" in platform.members["ci"].refusal(workflow("mine", "promotion", RELEASE))


@pytest.fixture(scope="module")
def promoted(platform: Platform, waiting: dict[str, Any]) -> dict[str, Any]:
    """The promotion at its end, approved by the command."""
    name = waiting["metadata"]["name"]
    Promotions(platform.members["approver"].api).approve(name)
    return platform.ended(RELEASE, name)


def test_an_approved_promotion_runs_with_the_name_of_the_approver(
    platform: Platform, promoted: dict[str, Any]
) -> None:
    assert promoted["status"]["phase"] == "Succeeded", promoted["status"].get("message")
    approver = promoted["metadata"]["annotations"]["ai-platform/approved-by"]
    assert "approver" in approver
    pods = platform.cluster.core.list_namespaced_pod(RELEASE).items
    [pod] = [pod for pod in pods if "-promote-" in pod.metadata.name]
    assert pod.metadata.annotations["ai-platform/approved-by"] == approver
    log = platform.cluster.core.read_namespaced_pod_log(pod.metadata.name, RELEASE, container="main")
    # Argo's executor adds lines to the log of the container that it starts.
    [result] = [json.loads(line)["result"] for line in log.splitlines() if line.startswith('{"result"')]
    assert result["approved_by"] == approver
    assert result["arguments"][-2:] == [f"{TEAM}/fares", "7"]


def test_a_promoted_version_is_rolled_out_by_the_team(platform: Platform, promoted: dict[str, Any]) -> None:
    assert platform.messages("training") == 1, "the promotion reports to the team"
    log = platform.handle(TEAM, "continuous-training", "message-1")
    [item] = platform.workflows(TEAM, "rollout")
    ended = platform.ended(TEAM, item["metadata"]["name"])
    assert ended["status"]["phase"] == "Succeeded", f"{ended['status'].get('message')}: {log}"
    values = parameters(ended)
    assert values["service"] == "fares"
    assert values["weights"] == "20,100"
    assert values["model_uri"].endswith(f"/{TEAM}/fares/7")


def test_drift_starts_a_training(platform: Platform, trained: dict[str, Any]) -> None:
    platform.send("training", json.dumps({"train": {"model": "prices", "cause": "drift"}}))
    log = platform.handle(TEAM, "continuous-training", "message-2")
    labelled = [
        item
        for item in platform.workflows(TEAM, "train-prices")
        if item["metadata"]["labels"].get("ai-platform/cause") == "drift"
    ]
    assert len(labelled) == 1, log
    assert platform.ended(TEAM, labelled[0]["metadata"]["name"])["status"]["phase"] == "Succeeded"

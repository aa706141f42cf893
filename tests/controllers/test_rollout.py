"""Rollouts by Argo Workflows, with requests through an Envoy and measurements of a Prometheus: a good release
gets all requests, one with errors none, and a killed program goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.model.services import Services
from tests.controllers.rollout_platform import SERVICE, TEAM, Platform, created
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def platform(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A service with its first release, version 1, and clients that use it."""
    with created(home, tmp_path_factory.mktemp("gateway")) as platform:
        platform.roll("first", "1")
        assert platform.ended("first") == {
            "phase": "Succeeded",
            "message": "",
            "result": "promoted",
            "reason": "",
        }
        assert platform.weights() == {"blue": 100}
        eventually(
            "an answer",
            lambda: platform.front.get(f"/{TEAM}/{SERVICE}/v1", _token()).status == 200,
            30,
        )
        with platform.traffic.running():
            yield platform


def _token() -> str:
    from tests.controllers.rollout_platform import TOKENS

    return TOKENS.token(TEAM)


def _seen(platform: Platform, name: str) -> list[dict[str, int]]:
    """Return the weights that the route had until a workflow ended."""
    seen: list[dict[str, int]] = []
    item = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
    metadata = {"name": name, "namespace": TEAM}
    limit = time.monotonic() + 240
    while time.monotonic() < limit:
        weights = platform.weights()
        if not seen or seen[-1] != weights:
            seen.append(weights)
        if (platform.cluster.get({**item, "metadata": metadata}).get("status") or {}).get("finishedAt"):
            break
        time.sleep(0.2)
    return seen


def test_good_release_gets_all_requests_step_by_step(platform: Platform) -> None:
    platform.roll("second", "2")
    seen = _seen(platform, "second")
    ended = platform.ended("second")
    assert (ended["phase"], ended.get("result")) == ("Succeeded", "promoted"), platform.state("second")
    steps = [weights["green"] for weights in seen if "green" in weights]
    assert steps == [0, 10, 50, 100], seen
    assert platform.stable() == "green"
    count = len(platform.traffic.answers)
    eventually("requests", lambda: sum(platform.traffic.since(count).values()) > 50, 30)
    assert set(platform.traffic.since(count)) == {"fares-green-predictor"}
    assert platform.services() == {"blue": "1", "green": "2"}, "the release before is kept"


def test_release_with_errors_is_rolled_back_by_what_the_gateway_measures(platform: Platform) -> None:
    stable = platform.stable()
    platform.bad.add("3")
    platform.roll("bad", "3")
    seen = _seen(platform, "bad")
    ended = platform.ended("bad")
    assert ended["phase"] == "Succeeded", platform.state("bad")
    assert ended["result"] == "rolled-back"
    assert "requests ended with status 5xx; expected at most 1.0%" in ended["reason"]
    assert max(weights.get("blue", 0) for weights in seen) == 10, "it never got more than the first step"
    assert platform.weights() == {stable: 100}
    assert "3" not in platform.services().values(), "it is deleted"
    count = len(platform.traffic.answers)
    eventually("requests", lambda: len(platform.traffic.answers) > count + 50, 30)
    assert {status for status, _ in platform.traffic.answers[count + 10 :]} == {200}


def test_killed_in_the_middle_it_goes_on(platform: Platform) -> None:
    stable = platform.stable()
    candidate = "blue" if stable == "green" else "green"
    platform.roll("killed", "4")
    eventually("the first step", lambda: platform.weights().get(candidate) == 10, 120)
    [pod] = [pod for pod in platform.pods("killed") if pod.status.phase == "Running"]
    # As the garbage collection of Pods whose node is gone.
    platform.cluster.core.delete_namespaced_pod(pod.metadata.name, TEAM, grace_period_seconds=0)
    ended = platform.ended("killed", 300)
    assert (ended["phase"], ended.get("result")) == ("Succeeded", "promoted"), platform.state("killed")
    assert platform.weights()[candidate] == 100
    assert platform.services()[candidate] == "4"


def test_refused_parameters_end_without_a_change(platform: Platform) -> None:
    before = platform.route()["metadata"]["resourceVersion"]
    platform.roll("refused", "5", weights="50,10,100")
    ended = platform.ended("refused")
    assert ended["phase"] == "Failed"
    item: Any = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
    status = platform.cluster.get({**item, "metadata": {"name": "refused", "namespace": TEAM}})["status"]
    rolls = [entry for entry in status["nodes"].values() if entry.get("templateName") == "roll"]
    assert len([entry for entry in rolls if entry["type"] == "Pod"]) == 1, "it is not run again"
    assert platform.route()["metadata"]["resourceVersion"] == before


def test_rollback_moves_requests_at_once(platform: Platform) -> None:
    stable = platform.stable()
    services = Services(platform.members["releaser"].api, TEAM)
    assert list(services.serving("fares")) == [SERVICE]
    began = time.monotonic()
    assert services.move_back(SERVICE) == "2"
    count = len(platform.traffic.answers)
    other = "blue" if stable == "green" else "green"

    def moved() -> bool:
        recent = platform.traffic.answers[max(count, len(platform.traffic.answers) - 30) :]
        return len(recent) == 30 and {name for _, name in recent} == {f"fares-{other}-predictor"}

    eventually("requests go back", moved, 60)
    assert time.monotonic() - began < 60


def test_preview_after_rollouts_shows_no_change(platform: Platform) -> None:
    result = platform.stack.preview()
    assert set(result.change_summary) <= {"same"}, result.stdout


def test_service_account_of_rollouts_touches_nothing_else(platform: Platform) -> None:
    from kubernetes import client

    review = client.AuthorizationV1Api(platform.cluster.api)

    def may(verb: str, group: str, resource: str, name: str = "", namespace: str = TEAM) -> bool:
        attributes = {
            "verb": verb,
            "group": group,
            "resource": resource,
            "name": name,
            "namespace": namespace,
        }
        body: Any = {
            "spec": {
                "user": f"system:serviceaccount:{TEAM}:rollouts",
                "resourceAttributes": attributes,
            }
        }
        answer: Any = review.create_subject_access_review(body)
        return answer.status.allowed

    gateway, kserve = "gateway.networking.k8s.io", "serving.kserve.io"
    assert may("patch", gateway, "httproutes", SERVICE)
    assert may("delete", kserve, "inferenceservices", f"{SERVICE}-blue")
    assert not may("patch", gateway, "httproutes", "other")
    assert not may("delete", kserve, "inferenceservices", "other")
    assert not may("patch", gateway, "httproutes", SERVICE, "default")
    for verb, resource in (("get", "secrets"), ("list", "pods"), ("create", "pods"), ("get", "configmaps")):
        assert not may(verb, "", resource), resource
    assert not may("create", "argoproj.io", "workflows")

"""Services whose requests a rollback moves: routes, and the rollout where nothing is kept."""

from __future__ import annotations

import json
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException

from cli.model import services
from cli.model.services import Services
from cli.output import CommandError

MIRROR = {"type": "RequestMirror", "requestMirror": {}}


def template(model: str, uri: str) -> str:
    item = {
        "metadata": {"labels": {"ai-platform/model": model}},
        "spec": {"predictor": {"model": {"storageUri": uri}}},
    }
    return json.dumps(item)


def error(status: int) -> ApiException:
    refused = ApiException(status=status, reason="refused")
    refused.body = json.dumps({"message": "refused"})
    return refused


class Cluster:
    """The API of a cluster: a route with the requests at green, release 8; blue is kept, release 7."""

    def __init__(self, **annotations: str | None) -> None:
        stated = {"stable": "green", "previous": "blue", "rollout-result": "promoted"} | {
            key.replace("_", "-"): value for key, value in annotations.items()
        }
        self.templates: dict[str, str] = {
            "fares": template("fares", "s3://b/pricing/fares/${VERSION}"),
            "chat": template("assistant", "s3://b/pricing/assistant/${VERSION}"),
        }
        self.objects: dict[str, Any] = {
            "fares": {
                "metadata": {
                    "resourceVersion": "5",
                    "annotations": {f"ai-platform/{key}": text for key, text in stated.items() if text},
                },
                "spec": {
                    "rules": [
                        {
                            "filters": [{"type": "URLRewrite"}, MIRROR],
                            "backendRefs": [
                                {"name": "fares-blue-predictor", "weight": 0, "filters": [1]},
                                {"name": "fares-green-predictor", "weight": 100, "filters": [1]},
                            ],
                        }
                    ]
                },
            },
            "fares-blue": self.service("7"),
            "fares-green": self.service("8"),
        }
        self.conflicts, self.refused = 0, 0
        self.created: list[Any] = []

    @staticmethod
    def service(version: str, ready: str = "True") -> Any:
        return {
            "metadata": {"labels": {"ai-platform/release": version}},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }

    def read_namespaced_config_map(self, name: str, namespace: str) -> Any:
        assert (name, namespace) == ("serving-templates", "pricing")
        if self.refused:
            raise error(self.refused)
        return SimpleNamespace(data=self.templates)

    def get_namespaced_custom_object(self, *place: str) -> Any:
        if place[-1] not in self.objects:
            raise error(404)
        return deepcopy(self.objects[place[-1]])

    def patch_namespaced_custom_object(self, *place: Any, _content_type: str) -> Any:
        assert _content_type == "application/merge-patch+json"
        if self.conflicts:
            self.conflicts -= 1
            raise error(409)
        *_, name, patch = place
        metadata = self.objects[name]["metadata"]
        assert patch["metadata"]["resourceVersion"] == metadata["resourceVersion"]
        metadata["annotations"].update(patch["metadata"]["annotations"])
        self.objects[name]["spec"] |= patch["spec"]
        return {}

    def create_namespaced_custom_object(self, *place: Any) -> Any:
        self.created.append(place[-1])
        return {"metadata": {"name": "rollback-fares-x"}}

    def weights(self) -> list[int]:
        return [entry["weight"] for entry in self.objects["fares"]["spec"]["rules"][0]["backendRefs"]]

    def annotation(self, name: str) -> str | None:
        return self.objects["fares"]["metadata"]["annotations"].get(f"ai-platform/{name}")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def of(cluster: Cluster) -> Services:
    connected = object.__new__(Services)
    connected.namespace = "pricing"
    connected._core = connected._custom = cluster  # pyright: ignore[reportPrivateUsage]
    return connected


def test_requests_go_to_the_release_before_at_once(cluster: Cluster) -> None:
    assert of(cluster).move_back("fares") == "7"
    assert cluster.weights() == [100, 0]
    assert (cluster.annotation("stable"), cluster.annotation("previous")) == ("blue", None)
    assert cluster.annotation("rolled-back-at")
    [rule] = cluster.objects["fares"]["spec"]["rules"]
    assert rule["filters"] == [{"type": "URLRewrite"}], "no copies of requests"
    assert rule["backendRefs"][0]["filters"], "its metrics stay separate"


def test_repeated_command_does_not_go_forward_again(cluster: Cluster) -> None:
    of(cluster).move_back("fares")
    assert of(cluster).move_back("fares") is None, "what is left is the release that was rolled back"
    assert cluster.weights() == [100, 0]
    assert of(cluster).move_back("fares", "8") == "7"


def test_stated_version_that_is_not_served_is_left_already(cluster: Cluster) -> None:
    assert of(cluster).move_back("fares", "9") == "8"
    assert cluster.weights() == [0, 100]


def test_rollout_in_progress_ends_with_the_release_that_it_began_with() -> None:
    cluster = Cluster(previous=None, rollout_result=None, rollout_stage="2")
    cluster.objects["fares"]["spec"]["rules"][0]["backendRefs"][0]["weight"] = 50
    assert of(cluster).move_back("fares", "9") == "8"
    assert cluster.weights() == [0, 100]
    assert cluster.annotation("rollout-result") == "rolled-back"


@pytest.mark.parametrize("left", ["missing", "unready", "no route", "foreign"])
def test_what_is_not_kept_is_not_moved_to(cluster: Cluster, left: str) -> None:
    if left == "missing":
        del cluster.objects["fares-blue"]
    elif left == "unready":
        cluster.objects["fares-blue"] = cluster.service("7", "False")
    elif left == "no route":
        del cluster.objects["fares"]
    else:
        cluster.objects["fares"]["metadata"]["annotations"] = {}
    assert of(cluster).move_back("fares") is None


def test_change_in_between_is_read_again(cluster: Cluster) -> None:
    cluster.conflicts = 2
    assert of(cluster).move_back("fares") == "7"
    cluster.conflicts = 9
    cluster.objects["fares"]["metadata"]["annotations"]["ai-platform/previous"] = "green"
    with pytest.raises(CommandError, match="changes all the time"):
        of(cluster).move_back("fares")


def test_services_of_the_model_are_moved_only(cluster: Cluster) -> None:
    assert list(of(cluster).serving("fares")) == ["fares"]
    assert of(cluster).serving("other") == {}


@pytest.mark.parametrize(("status", "noted"), [(403, True), (404, False)])
def test_cluster_without_rollouts_moves_nothing(
    cluster: Cluster, status: int, noted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.refused = status
    assert of(cluster).serving("fares") == {}
    assert ("requests are not moved" in capsys.readouterr().err) is noted


def test_rollout_of_the_release_before_gets_all_requests_at_once(cluster: Cluster) -> None:
    known = of(cluster).serving("fares")["fares"]
    assert of(cluster).submit("fares", known, "6") == "rollback-fares-x"
    [workflow] = cluster.created
    stated = {entry["name"]: entry["value"] for entry in workflow["spec"]["arguments"]["parameters"]}
    assert stated == {
        "service": "fares",
        "model_uri": "s3://b/pricing/fares/6",
        "weights": "100",
        "no_traffic": "continue",
    }
    assert workflow["spec"]["workflowTemplateRef"] == {"name": services.TEMPLATE}

"""Promotions that wait for an approval: what is listed, and what an approval changes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException
from typer.testing import CliRunner

from cli import app as application
from cli.model import requests
from cli.output import CommandError

ANNOTATION = "ai-platform/approved-by"


def workflow(name: str, *, suspend: bool = True, approved_by: str = "", template: str = "promotion") -> Any:
    """Return a workflow of the namespace of promotions."""
    return {
        "metadata": {
            "name": name,
            "annotations": {ANNOTATION: approved_by},
            "creationTimestamp": f"2026-11-28T00:00:0{len(name) % 10}Z",
        },
        "spec": {
            **({"suspend": True} if suspend else {}),
            "workflowTemplateRef": {"name": template},
            "arguments": {
                "parameters": [
                    {"name": "model", "value": "pricing/fares"},
                    {"name": "version", "value": "7"},
                ]
            },
        },
        "status": {} if suspend else {"phase": "Running"},
    }


class Cluster:
    """The workflows of a cluster. status: of a change that is refused."""

    def __init__(self, *workflows: Any, status: int = 0) -> None:
        self.workflows = {item["metadata"]["name"]: item for item in workflows}
        self.patches: list[Any] = []
        self._status = status

    def list_namespaced_custom_object(self, *path: str) -> Any:
        assert path == ("argoproj.io", "v1alpha1", "release", "workflows")
        return {"items": list(self.workflows.values())}

    def patch_namespaced_custom_object(self, *path: Any, _content_type: str) -> Any:
        if self._status:
            raise ApiException(status=self._status, reason="Forbidden")
        assert _content_type == "application/merge-patch+json", "`null` removes a key"
        *_, name, body = path
        self.patches.append(body)
        changed = self.workflows[name]
        changed["metadata"]["annotations"].update(body["metadata"]["annotations"])
        changed["spec"].pop("suspend")
        return changed

    def create_self_subject_review(self, _: Any) -> Any:
        return SimpleNamespace(status=SimpleNamespace(user_info=SimpleNamespace(username="maria")))


def promotions(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> requests.Promotions:
    from kubernetes import client

    monkeypatch.setattr(client, "CustomObjectsApi", lambda _: cluster)
    monkeypatch.setattr(client, "AuthenticationV1Api", lambda _: cluster)
    return requests.Promotions(None)


def test_an_approval_resumes_with_the_name_that_the_cluster_authenticated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(workflow("promote-1"))
    approved = promotions(monkeypatch, cluster).approve("promote-1")
    assert cluster.patches == [
        {"metadata": {"annotations": {ANNOTATION: "maria"}}, "spec": {"suspend": None}}
    ], "what the admission policy allows, and nothing else"
    assert (approved["model"], approved["version"], approved["approved_by"]) == (
        "pricing/fares",
        "7",
        "maria",
    )


def test_an_approval_that_is_repeated_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(workflow("promote-1"))
    of_cluster = promotions(monkeypatch, cluster)
    assert of_cluster.approve("promote-1") == of_cluster.approve("promote-1")
    assert len(cluster.patches) == 1


def test_another_approval_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(workflow("promote-1", suspend=False, approved_by="ada"))
    with pytest.raises(CommandError, match="does not wait: it is Running, approved by ada"):
        promotions(monkeypatch, cluster).approve("promote-1")


def test_an_unknown_request_names_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    others = (workflow("promote-22", suspend=False), workflow("x", template="y"))
    cluster = Cluster(workflow("promote-1"), *others)
    with pytest.raises(CommandError, match=r"'none' does not exist; expected one of promote-1$"):
        promotions(monkeypatch, cluster).approve("none")
    with pytest.raises(CommandError, match="no request waits"):
        promotions(monkeypatch, Cluster()).approve("none")


def test_a_user_outside_of_the_release_group_reads_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(workflow("promote-1"), status=403)
    with pytest.raises(CommandError, match="expected a member of the release group"):
        promotions(monkeypatch, cluster).approve("promote-1")


def test_requests_are_listed_and_approved_by_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    cluster = Cluster(workflow("promote-1"), workflow("promote-22", suspend=False, approved_by="ada"))
    of_cluster = promotions(monkeypatch, cluster)
    monkeypatch.setattr(requests, "_promotions", lambda *_: of_cluster)
    result = CliRunner().invoke(application.app, ["model", "requests", "aws-prod"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "waits for an approval" in result.output
    words = ["model", "approve", "aws-prod", "promote-1"]
    approved = CliRunner().invoke(application.app, words, catch_exceptions=False)
    assert "pricing/fares 7 is being promoted, approved by maria" in approved.output

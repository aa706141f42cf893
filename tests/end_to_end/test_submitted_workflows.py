"""Which workflows a principal that submits creates, on a real API server: those without a status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.components.aiplatform.pipelines.example import pipelines
from tests.end_to_end.guardrails import Cluster, Object, control_plane_of, until

pytestmark = pytest.mark.end_to_end

TEAM = "search"
SUBMITTER = ("ci", f"ai-platform:pipeline:{TEAM}")
DEVELOPER = ("ada", f"ai-platform:team:{TEAM}:developer")
EMPTY = {"startedAt": None, "finishedAt": None}
MINE = {"templates": [{"name": "main", "container": {"image": "stranger"}}]}


def workflow(status: Any = None, **spec: Any) -> Object:
    """Return a workflow of a template."""
    body: Object = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "train"},
        "spec": {"workflowTemplateRef": {"name": "train"}, **spec},
    }
    return body if status is None else {**body, "status": status}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        running.create("/api/v1/namespaces", {"metadata": {"name": TEAM}})
        running.apply(pipelines("aws"))
        rules = [{"apiGroups": ["argoproj.io"], "resources": ["*"], "verbs": ["create"]}]
        roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{TEAM}"
        running.create(f"{roles}/roles", {"metadata": {"name": "developer"}, "rules": rules})
        running.create(
            f"{roles}/rolebindings",
            {
                "metadata": {"name": "developer"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "developer"},
                "subjects": [
                    {"kind": "Group", "name": DEVELOPER[1], "apiGroup": "rbac.authorization.k8s.io"}
                ],
            },
        )
        # Policies are enforced a moment after they are created.
        until(lambda: running.refusal(workflow({"phase": "Running"}), SUBMITTER, TEAM))
        yield running


def test_a_workflow_of_a_template_is_created(cluster: Cluster) -> None:
    for status in (None, {}, EMPTY):
        assert cluster.refusal(workflow(status), SUBMITTER, TEAM) == "", status


@pytest.mark.parametrize(
    "status",
    [
        {"storedWorkflowTemplateSpec": MINE},
        {**EMPTY, "storedTemplates": {"namespaced/train/main": MINE["templates"][0]}},
        {"nodes": {"train-1": {"phase": "Succeeded", "outputs": {"result": "true"}}}},
    ],
    ids=["a specification", "templates", "steps that are done"],
)
def test_a_submitter_states_nothing_that_would_run_instead_of_the_template(
    cluster: Cluster, status: Object
) -> None:
    body = workflow(status, suspend=False)
    assert "expected no `status`" in cluster.refusal(body, SUBMITTER, TEAM)
    assert cluster.refusal(body, DEVELOPER, TEAM) == "", "who writes templates runs what they want anyway"

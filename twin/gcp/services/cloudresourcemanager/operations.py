"""Cloud Resource Manager: the project and its IAM policy, in v1 and v3."""

from __future__ import annotations

from typing import Any

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import etag, project_name
from twin.gcp.methods import generic, handles


def _v3(body: Body) -> Body:
    project: Body = {
        "name": f"projects/{body['projectNumber']}",
        "projectId": body["projectId"],
        "state": body["lifecycleState"],
        "displayName": body["name"],
        "createTime": body["createTime"],
        "updateTime": body["createTime"],
        "etag": f'W/"{etag(body)}"',
    }
    if body.get("labels"):
        project["labels"] = body["labels"]
    return project


@handles("cloudresourcemanager.projects.get")
def get(call: Call) -> dict[str, Any]:
    """The project, as the asked version shows it."""
    body = call.need(project_name(call.project))
    return body if call.method.version == "v1" else _v3(body)


@handles(
    "cloudresourcemanager.projects.getIamPolicy",
    "cloudresourcemanager.projects.setIamPolicy",
    "cloudresourcemanager.projects.testIamPermissions",
)
def policy(call: Call) -> dict[str, Any]:
    """Access to what is in the project. A policy without an owner, or for all users, is refused."""
    if call.method.name == "setIamPolicy":
        bindings: list[Body] = call.body.get("policy", {}).get("bindings") or []
        for binding in bindings:
            if {"allUsers", "allAuthenticatedUsers"} & set(binding.get("members") or []):
                raise invalid(
                    "Members allUsers and allAuthenticatedUsers cannot be added to a project's policy."
                )
        if not any(entry.get("role") == "roles/owner" and entry.get("members") for entry in bindings):
            raise invalid("SOLO_REQUIRE_TOS_ACCEPTOR: there must be at least one owner of the project.")
    return generic.policy(call, project_name(call.project))

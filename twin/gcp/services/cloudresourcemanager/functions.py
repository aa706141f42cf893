"""Who and where: the project, and the provider's own configuration."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.credentials import deployer_email
from twin.gcp.http_client import Refusal
from twin.gcp.resources.function import GcpFunction
from twin.provider_interface import CloudError, Props


class GetProject(GcpFunction):
    token = "gcp:organizations/getProject:getProject"
    title = "Project"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        wanted = arguments.get("projectId") or context.project
        if not wanted:
            raise CloudError(
                "no project value set. `project_id` must be set at the resource level, or a default "
                "`project` value must be specified on the provider",
                path="projectId",
            )
        try:
            response = context.call("cloudresourcemanager.projects.get", {"projectId": wanted})
        except Refusal as error:
            if error.code in (403, 404):
                raise CloudError(f"projects/{wanted} not found or access denied: {error.words}") from error
            raise
        parent = response.get("parent") or {}
        labels = dict(response.get("labels") or {})
        return {
            "id": f"projects/{response['projectId']}",
            "projectId": response["projectId"],
            "number": str(response["projectNumber"]),
            "name": response.get("name", ""),
            "labels": labels,
            "effectiveLabels": labels,
            "pulumiLabels": labels,
            "orgId": parent.get("id", "") if parent.get("type") == "organization" else "",
            "folderId": parent.get("id", "") if parent.get("type") == "folder" else "",
            "billingAccount": "",
            "autoCreateNetwork": False,
            "deletionPolicy": "",
            "tags": {},
        }


class GetClientOpenIdUserInfo(GcpFunction):
    token = "gcp:organizations/getClientOpenIdUserInfo:getClientOpenIdUserInfo"
    title = "client's OpenID user info"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        email = deployer_email(context.project or "")
        return {"id": email, "email": email}


class GetClientConfig(GcpFunction):
    token = "gcp:organizations/getClientConfig:getClientConfig"
    title = "client config"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        place = f"projects/{context.project!r}/regions/{context.region!r}/zones/{context.zone!r}"
        return {
            "id": place.replace("'", '"'),
            "project": context.project,
            "region": context.region,
            "zone": context.zone,
            "accessToken": context.transport.token,
            "defaultLabels": dict(context.labels.default),
        }

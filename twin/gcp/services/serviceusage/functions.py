"""A project's services."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction, project
from twin.provider_interface import Props


class GetProjectService(GcpFunction):
    token = "gcp:projects/getProjectService:getProjectService"
    title = "Project Service"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where, service = project(context, arguments), arguments["service"]
        context.call("cloudresourcemanager.projects.get", {"projectId": where})
        response = context.call("serviceusage.services.get", {"name": f"projects/{where}/services/{service}"})
        enabled = response.get("state") == "ENABLED"
        return {"id": f"{where}/{service}" if enabled else "", "project": where, "service": service}

"""Cloud Logging: who encrypts a project's logs."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction, project
from twin.provider_interface import Props


class GetProjectCmekSettings(GcpFunction):
    token = "gcp:logging/getProjectCmekSettings:getProjectCmekSettings"
    title = "LoggingProjectCmekSettings"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        response = context.call("logging.projects.getCmekSettings", {"name": f"projects/{where}"})
        answered = {
            name: response.get(name, "")
            for name in ("name", "kmsKeyName", "kmsKeyVersionName", "serviceAccountId")
        }
        return {"id": f"projects/{where}/cmekSettings", "project": where, **answered}

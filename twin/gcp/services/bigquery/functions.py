"""BigQuery: the account by which it uses keys."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction, project
from twin.provider_interface import Props


class GetDefaultServiceAccount(GcpFunction):
    token = "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount"
    title = "BigQuery service account"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        email = context.call("bigquery.projects.getServiceAccount", {"projectId": where})["email"]
        return {"id": email, "project": where, "email": email, "member": f"serviceAccount:{email}"}

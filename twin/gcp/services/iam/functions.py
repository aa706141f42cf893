"""IAM: a service account that exists."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction, project
from twin.provider_interface import Props


class GetAccount(GcpFunction):
    token = "gcp:serviceaccount/getAccount:getAccount"
    title = "Service Account"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        given = str(arguments["accountId"])
        where = project(context, arguments)
        if given.startswith("projects/"):
            name = given
        elif "@" in given or given.isdigit():
            name = f"projects/-/serviceAccounts/{given}"
        else:
            name = f"projects/{where}/serviceAccounts/{given}@{where}.iam.gserviceaccount.com"
        found = context.call("iam.projects.serviceAccounts.get", {"name": name})
        email = found["email"]
        return {
            "id": found["name"],
            "accountId": email.partition("@")[0],
            "email": email,
            "member": f"serviceAccount:{email}",
            "name": found["name"],
            "uniqueId": found["uniqueId"],
            "displayName": found.get("displayName", ""),
            "disabled": bool(found.get("disabled")),
            "project": found.get("projectId", where),
        }

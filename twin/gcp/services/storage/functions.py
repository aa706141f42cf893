"""Cloud Storage: the account by which it uses keys and states of changes, and a bucket."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.resources.function import GcpFunction, project
from twin.provider_interface import Props


class GetProjectServiceAccount(GcpFunction):
    token = "gcp:storage/getProjectServiceAccount:getProjectServiceAccount"
    title = "GCS service account"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        query = {"userProject": arguments["userProject"]} if arguments.get("userProject") else None
        response = context.call("storage.projects.serviceAccount.get", {"projectId": where}, None, query)
        email = response["email_address"]
        return {"id": email, "project": where, "emailAddress": email, "member": f"serviceAccount:{email}"}


class GetBucket(GcpFunction):
    token = "gcp:storage/getBucket:getBucket"
    title = "Bucket"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        name = arguments["name"]
        bucket = context.call("storage.buckets.get", {"bucket": name}, None)
        return {
            "id": name,
            "name": name,
            "location": bucket["location"],
            "selfLink": bucket["selfLink"],
            "storageClass": bucket["storageClass"],
            "url": f"gs://{name}",
        }

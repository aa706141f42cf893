"""Service Usage: services that a project enables, their accounts, and quotas."""

from __future__ import annotations

from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.http_client import absence_allowed
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Props


class ConsumerQuotaOverride(GcpResource):
    token = "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride"

    def made_id(self, context: GcpContext, inputs: Props, answer: Props) -> str:
        answered = answer.get("response") or answer
        values = {**self.values(context, "", inputs), "name": str(answered["name"]).rpartition("/")[2]}
        return str(self.filled({"id": self.id_form}, values)["id"])

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        # There is no get: the provider looks through the list.
        answered: Props = {}
        with absence_allowed():
            parent = id.rpartition("/consumerOverrides/")[0]
            answered = context.call(f"{self.collection}.list", {"parent": parent})
        last = id.rpartition("/")[2]
        same = (one for one in answered.get("overrides", []) if one["name"].rpartition("/")[2] == last)
        item = next(same, None)
        return None if item is None else {**item, "name": last}

    def filled(self, params: Any, values: Props) -> Props:
        filled_params = super().filled(params, values)
        return {name: value for name, value in filled_params.items() if value is not None}


class Service(GcpResource):
    token = "gcp:projects/service:Service"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        return {}, {"name": "service"}

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        # What is enabled already is adopted, and its delete decided by the resource alone.
        item = self.find(context, "", self.values(context, "", inputs))
        return item if item is not None else super().make(context, inputs, body)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        # The provider looks whether the project is being deleted (resourceGoogleProjectServiceRead).
        context.call("cloudresourcemanager.projects.get", {"projectId": values["project"]})
        item = super().find(context, id, values)
        return item if item and item.get("state") == "ENABLED" else None

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        # Only an explicit true disables it: pulumi-gcp 9 made `disableOnDestroy` false by default.
        values = self.values(context, id, state)
        if not state.get("disableOnDestroy") or self.find(context, id, values) is None:
            return
        params = self.filled(self.params, values)
        usage = "CHECK" if state.get("checkIfServiceHasUsageOnDestroy") else "SKIP"
        body = {
            "disableDependentServices": bool(state.get("disableDependentServices")),
            "checkIfServiceHasUsage": usage,
        }
        self.done(context, context.call("serviceusage.services.disable", params, body), "Disabling")

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        """All that can change steers the delete alone."""


class ServiceIdentity(GcpResource):
    token = "gcp:projects/serviceIdentity:ServiceIdentity"

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        inputs = self.prepared(context, inputs)
        values = self.values(context, "", inputs)
        with self.errors("creating", {}):
            # The method is in v1beta1 alone.
            answer = context.call(
                "serviceusage.services.generateServiceIdentity",
                {"parent": f"projects/{values['project']}/services/{values['service']}"},
            )
            answer = self.done(context, answer, "Creating")
        email = (answer.get("response") or answer).get("email")
        outputs = {"email": email, "member": f"serviceAccount:{email}"} if email else {}
        return self.made_id(context, inputs, answer), {**inputs, **outputs}

    def read(self, context: Any, id: str, state: Props) -> Props | None:
        # There is no method that reads it.
        return {**self.parsed(id), **state}

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        """There is no method that deletes it."""

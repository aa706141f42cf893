"""IAM: service accounts and custom roles."""

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import NOT_FOUND, GcpResource
from twin.provider_interface import CloudError, Props

_ALREADY_EXISTS = 409


class Account(GcpResource):
    token = "gcp:serviceaccount/account:Account"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        account, places = super().body(context, inputs)
        body = {"accountId": inputs.get("accountId"), "serviceAccount": account}
        inside = {f"serviceAccount.{path}": place for path, place in places.items()}
        return body, {"accountId": "accountId", **inside}

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        values = super().values(context, id, props)
        domain = ".".join(reversed(str(values["project"]).split(":")))
        values.setdefault("email", f"{values.get('accountId')}@{domain}.iam.gserviceaccount.com")
        return values

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        try:
            return super().make(context, inputs, body)
        except Refusal as error:
            if error.code != _ALREADY_EXISTS or not inputs.get("createIgnoreAlreadyExists"):
                raise
            return {}

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        if inputs.get("disabled"):
            context.call("iam.projects.serviceAccounts.disable", {"name": id}, {})

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        email = str(item.get("email", ""))
        return {
            "accountId": email.partition("@")[0],
            "project": item.get("projectId") or known.get("project"),
            "member": f"serviceAccount:{email}",
        }

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if "disabled" in changed:
            verb = "disable" if new.get("disabled") else "enable"
            context.call(f"iam.projects.serviceAccounts.{verb}", {"name": id}, {})
        mask = sorted(changed & {"description", "displayName"})
        if mask:
            account = {name: new.get(name) or "" for name in ("description", "displayName")}
            body = {"updateMask": ",".join(mask), "serviceAccount": account}
            context.call("iam.projects.serviceAccounts.patch", {"name": id}, body)


class CustomRole(GcpResource):
    token = "gcp:projects/iAMCustomRole:IAMCustomRole"

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        # A deleted role keeps its name for a while: it is undeleted and changed, as the provider does.
        values = self.values(context, "", inputs)
        name = self.made_id(context, inputs, {})
        item = self.find(context, "", values)
        if item is None:
            request = {"roleId": inputs["roleId"], "role": body}
            return context.call(
                "iam.projects.roles.create", {"parent": f"projects/{values['project']}"}, request
            )
        if item.get("deleted"):
            return context.call("iam.projects.roles.undelete", {"name": name}, {})
        if all(item.get(key) == value for key, value in body.items()) and context.intent:
            return item  # a create that was broken off
        raise CloudError(f"Custom project role {name} already exists and must be imported", path="roleId")

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        """An undeleted role becomes as it is asked for now."""
        body, _ = self.body(context, inputs)
        item = self.find(context, id, self.values(context, id, inputs)) or {}
        if any(item.get(key) != value for key, value in body.items()):
            context.call("iam.projects.roles.patch", {"name": id}, body)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        item = super().find(context, id, values)
        return None if item and item.get("deleted") and id else item

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new) & {"title", "description", "stage", "permissions"}:
            body, _ = self.body(context, new)
            context.call("iam.projects.roles.patch", {"name": id}, {"description": "", **body})

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        if self.find(context, id, self.values(context, id, state)) is None:
            raise Refusal(NOT_FOUND, "gone")
        super().unmake(context, id, state)

"""IAM: instance profiles, OpenID Connect providers."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class InstanceProfile(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        self._set_role(context, id, inputs.get("role"))

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "role" in self.changed(old, new):
            self._set_role(context, id, new.get("role"))

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        self._set_role(context, id, None)
        super().unmake(context, id, state)

    def _set_role(self, context: AwsContext, id: str, role: Any) -> None:
        item = self.find(context, id, {}) or {}
        present = [attached_role["RoleName"] for attached_role in item.get("Roles", [])]
        for name in present:
            if name != role:
                params = {"InstanceProfileName": id, "RoleName": name}
                context.call("iam", "RemoveRoleFromInstanceProfile", params)
        if role and role not in present:
            context.call("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": id, "RoleName": role})


class OpenIdConnectProvider(AwsResource):
    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "url" and isinstance(old, str) and isinstance(new, str):
            return old.removeprefix("https://") == new.removeprefix("https://")
        return super().same(path, old, new)

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        # IAM answers the host and path alone; the provider's state holds the whole URL.
        if outputs.get("url"):
            outputs["url"] = f"https://{outputs['url'].removeprefix('https://')}"
        return outputs

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        before, wanted = set(old.get("clientIdLists") or []), set(new.get("clientIdLists") or [])
        for word, clients in (("Remove", before - wanted), ("Add", wanted - before)):
            for client in sorted(clients):
                tail = "To" if word == "Add" else "From"
                params = {"OpenIDConnectProviderArn": id, "ClientID": client}
                context.call("iam", f"{word}ClientID{tail}OpenIDConnectProvider", params)

"""Secret Manager: secrets and their versions."""

from __future__ import annotations

import base64
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import Props

_AUTO: Final = "replication.auto"


def _opened(automatic: Any) -> Any:
    # Pulumi's empty object is the API's.
    return {} if automatic is None else automatic


class Secret(GcpResource):
    token = "gcp:secretmanager/secret:Secret"
    fields = {
        _AUTO: Field("automatic", encode=_opened),
    }


class SecretVersion(GcpResource):
    token = "gcp:secretmanager/secretVersion:SecretVersion"
    fields = {
        "enabled": Field(
            "state", sent=False, decode=lambda value: None if value is None else value == "ENABLED"
        ),
        "version": Field("name", sent=False, decode=lambda value: (value or "").rpartition("/")[2]),
    }

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        data = str(inputs.get("secretData") or inputs.get("secretDataWo") or "")
        encoded = data if inputs.get("isSecretDataBase64") else base64.b64encode(data.encode()).decode()
        secret = str(inputs["secret"])
        if "/" not in secret:
            secret = f"projects/{context.project}/secrets/{secret}"
        return context.call(self.create_method, {"parent": secret}, {"payload": {"data": encoded}})

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        if inputs.get("enabled") is False:
            context.call(f"{self.collection}.disable", {"name": id}, {})

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        item = super().find(context, id, values)
        return None if item and item.get("state") == "DESTROYED" else item

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        outputs = {"secret": id.rpartition("/versions/")[0]} if not known.get("secret") else {}
        if (
            known.get("secretData") is None
            and not known.get("secretDataWo")
            and item.get("state") == "ENABLED"
        ):
            answered = context.call(f"{self.collection}.access", {"name": id})
            outputs["secretData"] = base64.b64decode(answered["payload"]["data"]).decode("utf-8", "replace")
        return outputs

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if "enabled" in self.changed(old, new):
            word = "enable" if new.get("enabled") is not False else "disable"
            context.call(f"{self.collection}.{word}", {"name": id}, {})

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        policy = state.get("deletionPolicy")
        if policy == "ABANDON" or self.find(context, id, self.values(context, id, state)) is None:
            return
        word = "disable" if policy == "DISABLE" else "destroy"
        context.call(f"{self.collection}.{word}", {"name": id}, {})

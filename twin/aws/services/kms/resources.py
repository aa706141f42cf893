"""KMS: keys and their aliases."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class Key(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("enableKeyRotation"):
            self._rotate(context, id, inputs)
        if inputs.get("isEnabled") is False:
            context.call("kms", "DisableKey", {"KeyId": id})

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        # A disabled key takes no change: enable first, disable last.
        if "isEnabled" in changed and new.get("isEnabled", True):
            context.call("kms", "EnableKey", {"KeyId": id})
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            if new.get("enableKeyRotation"):
                self._rotate(context, id, new)
            else:
                context.call("kms", "DisableKeyRotation", {"KeyId": id})
        super().change(context, id, old, new)
        if "isEnabled" in changed and new.get("isEnabled") is False:
            context.call("kms", "DisableKey", {"KeyId": id})

    @staticmethod
    def _rotate(context: AwsContext, id: str, inputs: Props) -> None:
        period = inputs.get("rotationPeriodInDays")
        params = {"KeyId": id, **({"RotationPeriodInDays": int(period)} if period else {})}
        context.call("kms", "EnableKeyRotation", params)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        policy = context.call("kms", "GetKeyPolicy", {"KeyId": id, "PolicyName": "default"})["Policy"]
        outputs: Props = {"policy": policy}
        if item.get("KeySpec") == "SYMMETRIC_DEFAULT" and item.get("Origin", "AWS_KMS") == "AWS_KMS":
            rotation = context.call("kms", "GetKeyRotationStatus", {"KeyId": id})
            outputs["enableKeyRotation"] = rotation["KeyRotationEnabled"]
            if rotation.get("RotationPeriodInDays"):
                outputs["rotationPeriodInDays"] = rotation["RotationPeriodInDays"]
        return outputs


def _same_key(old: Any, new: Any) -> bool:
    # A key is named by its id or its arn.
    return bool(old == new) or (
        isinstance(old, str) and isinstance(new, str) and old.rpartition("/")[2] == new.rpartition("/")[2]
    )


class Alias(AwsResource):
    def same(self, path: str, old: Any, new: Any) -> bool:
        return _same_key(old, new) if path == "targetKeyId" else super().same(path, old, new)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        aliases = context.pages("kms", "ListAliases", {}, "Aliases")
        return next((alias for alias in aliases if alias["AliasName"] == id), None)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        target = item.get("TargetKeyId", "")
        place = f"arn:{context.partition}:kms:{context.region}:{context.account}"
        return {"targetKeyArn": f"{place}:key/{target}"}

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        if _same_key(state.get("targetKeyId"), outputs.get("targetKeyId")) and state.get("targetKeyId"):
            outputs["targetKeyId"] = state["targetKeyId"]
        return outputs

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        try:
            super().unmake(context, id, state)
        except ClientError as error:
            if code_of(error) != "NotFoundException":
                raise

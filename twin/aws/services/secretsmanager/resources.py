"""Secrets Manager: secrets, their values and policies."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import from_api, json_text
from twin.provider_interface import Failure, Props

_CURRENT: Final = "AWSCURRENT"
_REPLICA: Final = entries.shape(__name__, "replica")


class Secret(AwsResource):
    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("policy"):
            params = {"SecretId": id, "ResourcePolicy": json_text(inputs["policy"])}
            context.call("secretsmanager", "PutResourcePolicy", params)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        reported = context.call("secretsmanager", "GetResourcePolicy", {"SecretId": id})
        replicas = [from_api(_REPLICA, replica) for replica in item.get("ReplicationStatus") or []]
        return {"policy": reported.get("ResourcePolicy") or "", "replicas": replicas}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed & {"description", "kmsKeyId"}:
            params: Props = {"SecretId": id, "Description": new.get("description") or ""}
            if new.get("kmsKeyId"):
                params["KmsKeyId"] = new["kmsKeyId"]
            context.call("secretsmanager", "UpdateSecret", params)
        if "policy" in changed and new.get("policy"):
            self.after_create(context, id, new, {})
        elif "policy" in changed:
            context.call("secretsmanager", "DeleteResourcePolicy", {"SecretId": id})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        window = state.get("recoveryWindowInDays")
        params: Props = {"SecretId": id}
        if window == 0:
            params["ForceDeleteWithoutRecovery"] = True
        else:
            params["RecoveryWindowInDays"] = int(window or 30)
        context.call("secretsmanager", "DeleteSecret", params)


def of_base64(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except ValueError:
        return value


class SecretVersion(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        binary = inputs.get("secretBinary")
        if isinstance(binary, str) and of_base64(binary) == binary:
            yield Failure("secretBinary", "expected secret_binary to be base64-encoded")

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return f"{inputs['secretId']}|{answer['VersionId']}"

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        if state.get("secretStringWo") is not None or state.get("hasSecretStringWo"):
            outputs = {name: value for name, value in outputs.items() if name != "secretString"}
        return {**outputs, "hasSecretStringWo": state.get("secretStringWoVersion") is not None}

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        try:
            return super().find(context, id, state)
        except ClientError as error:
            # A version without labels is gone for the provider, as one of a deleted secret is.
            if code_of(error) == "InvalidRequestException":
                return None
            raise

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if "versionStages" not in self.changed(old, new):
            return
        secret, _, version = id.rpartition("|")
        before, wanted = set(old.get("versionStages") or []), set(new.get("versionStages") or [])
        for stage in sorted(wanted - before):
            moved = {"SecretId": secret, "VersionStage": stage, "MoveToVersionId": version}
            context.call("secretsmanager", "UpdateSecretVersionStage", moved)
        for stage in sorted(before - wanted - {_CURRENT}):
            taken = {"SecretId": secret, "VersionStage": stage, "RemoveFromVersionId": version}
            context.call("secretsmanager", "UpdateSecretVersionStage", taken)

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # A version cannot be deleted: its labels are taken, but for the current one, which goes with the
        # secret.
        secret, _, version = id.rpartition("|")
        for stage in state.get("versionStages") or []:
            if stage != _CURRENT:
                taken = {"SecretId": secret, "VersionStage": stage, "RemoveFromVersionId": version}
                context.call("secretsmanager", "UpdateSecretVersionStage", taken)


class SecretPolicy(AwsResource):
    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        return item if item and item.get("ResourcePolicy") else None

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"secretArn": item["ARN"]}

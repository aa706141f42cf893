"""Secrets Manager: secrets, their values, rotation and policies."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.documents import document_failures
from twin.aws.resources.fields import Field, json_text, kept, pascal, reads, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

_HERE: Final = {"SecretId": "{id}"}
_GONE: Final = frozenset({"ResourceNotFoundException"})
_CURRENT: Final = "AWSCURRENT"


class Secret(AwsResource):
    token = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    title = "Secrets Manager Secret"
    fields = {
        **pascal("name", "description", "kmsKeyId", "type"),
        "forceOverwriteReplicaSecret": Field("ForceOverwriteReplicaSecret", read=""),
        "replicas": Field("AddReplicaRegions", of=pascal("region", "kmsKeyId"), read=""),
        "policy": Field(read="", encode=json_text),
        **kept("namePrefix", "recoveryWindowInDays"),
        **reads(arn="ARN"),
    }
    create_call = Call("CreateSecret")
    id_path = "ARN"
    read_call = Call("DescribeSecret", _HERE)
    gone = "DeletedDate"
    not_found = _GONE
    tagging = Tagging(
        add=Call("TagResource", {"SecretId": "{id}", "Tags": "{tags}"}),
        remove=Call("UntagResource", {"SecretId": "{id}", "TagKeys": "{keys}"}),
    )
    autoname = AutoName(max_length=512)
    name_prefix = ("namePrefix", "name", 512)
    computed = frozenset({"policy", "type"})
    documents = frozenset({"policy"})
    paths = {
        "ResourceExistsException": "name",
        "InvalidRequestException: scheduled for deletion": "name",
        "ValidationException": "name",
        "EncryptionFailure": "kmsKeyId",
        "MalformedPolicyDocumentException": "policy",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures("policy", inputs.get("policy"), "resource", longest=20480)
        window = inputs.get("recoveryWindowInDays")
        if isinstance(window, (int, float)) and window != 0 and not 7 <= window <= 30:
            yield Failure(
                "recoveryWindowInDays",
                f"expected recovery_window_in_days to be in the range (7 - 30) or 0, got {window:g}",
            )

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("policy"):
            given = {"SecretId": id, "ResourcePolicy": json_text(inputs["policy"])}
            context.call("secretsmanager", "PutResourcePolicy", given)

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        told = context.call("secretsmanager", "GetResourcePolicy", {"SecretId": id})
        found = [
            {
                "region": each.get("Region", ""),
                "kmsKeyId": each.get("KmsKeyId", ""),
                "status": each.get("Status", ""),
                "statusMessage": each.get("StatusMessage", ""),
                "lastAccessedDate": "",
            }
            for each in item.get("ReplicationStatus") or []
        ]
        return {"policy": told.get("ResourcePolicy") or "", "replicas": found}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed & {"description", "kmsKeyId"}:
            params: Props = {"SecretId": id, "Description": new.get("description") or ""}
            if new.get("kmsKeyId"):
                params["KmsKeyId"] = new["kmsKeyId"]
            context.call("secretsmanager", "UpdateSecret", params)
        if "policy" in changed:
            if new.get("policy"):
                given = {"SecretId": id, "ResourcePolicy": json_text(new["policy"])}
                context.call("secretsmanager", "PutResourcePolicy", given)
            else:
                context.call("secretsmanager", "DeleteResourcePolicy", {"SecretId": id})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        window = state.get("recoveryWindowInDays")
        params: Props = {"SecretId": id}
        if window == 0:
            params["ForceDeleteWithoutRecovery"] = True
        else:
            params["RecoveryWindowInDays"] = int(window or 30)
        context.call("secretsmanager", "DeleteSecret", params)


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except ValueError:
        return value


class SecretVersion(AwsResource):
    token = "aws:secretsmanager/secretVersion:SecretVersion"
    service = "secretsmanager"
    title = "Secrets Manager Secret Version"
    fields = {
        **pascal("secretId"),
        "secretString": Field("SecretString"),
        "secretBinary": Field("SecretBinary", encode=_bytes, read=""),
        "secretStringWo": Field("SecretString", read=""),
        "versionStages": Field("VersionStages"),
        **kept("secretStringWoVersion"),
        **reads(arn="ARN", secretArn="ARN", versionId="VersionId"),
    }
    create_call = Call("PutSecretValue")
    id_form = "{secretId}|{versionId}"
    read_call = Call("GetSecretValue", {"SecretId": "{secretId}", "VersionId": "{versionId}"})
    not_found = _GONE
    immutable = frozenset({"secretString", "secretStringWoVersion"})
    secrets = frozenset({"secretString", "secretBinary", "secretStringWo"})
    paths = {"ResourceNotFoundException": "secretId", "InvalidRequestException": "secretId"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        names = ("secretString", "secretBinary", "secretStringWo")
        given = [name for name in names if inputs.get(name) is not None]
        if len(given) > 1:
            yield Failure(given[1], f'"{given[0]}": conflicts with {given[1]}')
        binary = inputs.get("secretBinary")
        if isinstance(binary, str) and _bytes(binary) == binary:
            yield Failure("secretBinary", "expected secret_binary to be base64-encoded")
        if (inputs.get("secretStringWo") is not None) != (inputs.get("secretStringWoVersion") is not None):
            yield Failure("secretStringWo", "secretStringWo and secretStringWoVersion go together")

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return f"{inputs['secretId']}|{answer['VersionId']}"

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        if state.get("secretStringWo") is not None or state.get("hasSecretStringWo"):
            found = {name: value for name, value in found.items() if name != "secretString"}
        return {**found, "hasSecretStringWo": state.get("secretStringWoVersion") is not None}

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
    token = "aws:secretsmanager/secretPolicy:SecretPolicy"
    service = "secretsmanager"
    title = "Secrets Manager Secret Policy"
    fields = {
        "secretArn": Field("SecretId", read=""),
        "policy": Field("ResourcePolicy", encode=json_text),
        "blockPublicPolicy": Field("BlockPublicPolicy", read=""),
    }
    create_call = Call("PutResourcePolicy")
    id_path = "ARN"
    read_call = Call("GetResourcePolicy", _HERE)
    not_found = _GONE
    delete_call = Call("DeleteResourcePolicy", _HERE)
    documents = frozenset({"policy"})
    paths = {
        "ResourceNotFoundException": "secretArn",
        "MalformedPolicyDocumentException": "policy",
        "PublicPolicyException": "policy",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from document_failures("policy", inputs.get("policy"), "resource", longest=20480)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        item = super().find(context, id, state)
        return item if item and item.get("ResourcePolicy") else None

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"secretArn": item["ARN"]}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            self.make(context, new)


class SecretRotation(AwsResource):
    token = "aws:secretsmanager/secretRotation:SecretRotation"
    service = "secretsmanager"
    title = "Secrets Manager Secret Rotation"
    fields = {
        "secretId": Field("SecretId", read="ARN"),
        "externalSecretRotationRoleArn": Field("ExternalSecretRotationRoleArn"),
        "externalSecretRotationMetadatas": Field("ExternalSecretRotationMetadata", of=pascal("key", "value")),
        "rotationLambdaArn": Field("RotationLambdaARN"),
        "rotationRules": Field(
            "RotationRules", of=pascal("automaticallyAfterDays", "duration", "scheduleExpression")
        ),
        "rotateImmediately": Field("RotateImmediately", read=""),
        "rotationEnabled": Field(read="RotationEnabled"),
    }
    create_call = Call("RotateSecret")
    id_path = "ARN"
    read_call = Call("DescribeSecret", _HERE)
    gone = "DeletedDate || !RotationEnabled"
    not_found = _GONE
    delete_call = Call("CancelRotateSecret", _HERE)
    paths = {
        "ResourceNotFoundException: Lambda": "rotationLambdaArn",
        "AccessDeniedException": "rotationLambdaArn",
        "ResourceNotFoundException": "secretId",
        "InvalidRequestException": "secretId",
        "InvalidParameterException": "rotationRules",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        given = inputs.get("rotationRules")
        if isinstance(given, dict):
            named = [given.get(name) for name in ("automaticallyAfterDays", "scheduleExpression")]
            if not any(each is not None for each in named):
                yield Failure(
                    "rotationRules",
                    "one of automatically_after_days and schedule_expression must be specified",
                )

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params = to_api(self.fields, {**new, "secretId": id})
            context.call("secretsmanager", "RotateSecret", params)

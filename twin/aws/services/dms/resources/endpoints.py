"""DMS: the databases that it reads and the buckets that it writes."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.services.dms.validation import SECRETS
from twin.provider_interface import Props


class Endpoint(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        member = SECRETS.get(str(inputs.get("engineName")))
        if member and inputs.get("secretsManagerArn"):
            params[member] = _secret(inputs, member)
        return params

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        member = SECRETS.get(str(item.get("EngineName")), "")
        settings = item.get(member) or {}
        result: Props = {}
        for name, api in (
            ("secretsManagerArn", "SecretsManagerSecretId"),
            ("secretsManagerAccessRoleArn", "SecretsManagerAccessRoleArn"),
        ):
            if settings.get(api):
                result[name] = settings[api]
        of = settings.get("DatabaseName") or item.get("DatabaseName")
        return {**result, **({"databaseName": of} if of else {})}


def _secret(inputs: Props, member: str) -> Props:
    secret: Props = {
        "SecretsManagerSecretId": inputs["secretsManagerArn"],
        "SecretsManagerAccessRoleArn": inputs.get("secretsManagerAccessRoleArn"),
    }
    if member == "PostgreSQLSettings" and inputs.get("databaseName"):
        secret["DatabaseName"] = inputs["databaseName"]
    return secret


def api_mode(value: Any) -> Any:
    return value.lower().replace("_", "-") if isinstance(value, str) else value


def mode(value: Any) -> str:
    return str(value).upper().replace("-", "_")

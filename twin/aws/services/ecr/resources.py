"""ECR: repositories with their policies, and what holds for a whole registry."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import same, to_api
from twin.provider_interface import Props


def _first(value: Any) -> Any:
    """The provider takes a list where ECR has one object."""
    return value[0] if isinstance(value, list) and value else None


def encoded(value: Any) -> Any:
    first = _first(value)
    return to_api(_ENCRYPTION, {"encryptionType": "AES256", **first}) if isinstance(first, dict) else first


def as_block(value: Any) -> Any:
    return [{"encryptionType": value.get("encryptionType", ""), "kmsKey": value.get("kmsKey", "")}]


_ENCRYPTION: Final = same("encryptionType", "kmsKey")


class Repository(AwsResource):
    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        # No configuration is one that scans nothing.
        super().change(context, id, old, {"imageScanningConfiguration": {"scanOnPush": False}, **new})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        params = {"repositoryName": id, "force": bool(state.get("forceDelete"))}
        context.call("ecr", "DeleteRepository", params)


class RepositoryCreationTemplate(AwsResource):
    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"registryId": context.account}


class RegistryScanningConfiguration(AwsResource):
    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return context.account

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        # A registry always has one: the one that it begins with.
        params = {"scanType": "BASIC", "rules": []}
        context.call("ecr", "PutRegistryScanningConfiguration", params)

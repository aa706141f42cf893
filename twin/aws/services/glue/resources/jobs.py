"""Glue: jobs, triggers, security configurations and rulesets of data quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import pascal, to_api
from twin.provider_interface import Props


def connections(value: Any) -> Any:
    return {"Connections": value} if isinstance(value, list) else value


_COMMAND: Final = "glueetl"
"""The name of a job's command where the program states none, by the provider's schema."""


def _with_command(inputs: Props) -> Props:
    command = inputs.get("command")
    if not isinstance(command, dict) or command.get("name") is not None:
        return inputs
    return {**inputs, "command": {**command, "name": _COMMAND}}


class Job(AwsResource):
    nested_defaults: ClassVar[Mapping[str, Any]] = {"command.name": _COMMAND}

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        return super().create_params(context, _with_command(inputs))

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if not changed:
            return
        wanted = {name: value for name, value in _with_command(new).items() if value is not None}
        params = {name: value for name, value in to_api(self.fields, wanted).items() if name != "Name"}
        context.call("glue", "UpdateJob", {"JobName": id, "JobUpdate": params})


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def batching(value: Any) -> Any:
    return to_api(pascal("batchSize", "batchWindow"), _first(value))


class Trigger(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        # The provider starts it with its creation, but for one on demand, where it is to be enabled.
        if (
            inputs.get("startOnCreation") is None
            and inputs.get("enabled")
            and inputs.get("type") != "ON_DEMAND"
        ):
            params["StartOnCreation"] = True
        return params

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("enabled") is False and inputs.get("type") != "ON_DEMAND":
            context.call("glue", "StopTrigger", {"Name": id})

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        on = item.get("State") in ("ACTIVATED", "ACTIVATING")
        return {"enabled": known.get("enabled", True) if item["Type"] == "ON_DEMAND" else on}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed & {"actions", "description", "eventBatchingConditions", "predicate", "schedule"}:
            wanted = {name: value for name, value in new.items() if value is not None}
            names = ("actions", "description", "eventBatchingConditions", "predicate", "schedule")
            params = to_api({name: self.fields[name] for name in names}, wanted)
            context.call("glue", "UpdateTrigger", {"Name": id, "TriggerUpdate": params})
        if "enabled" in changed:
            operation = "StartTrigger" if new.get("enabled") is not False else "StopTrigger"
            context.call("glue", operation, {"Name": id})


class SecurityConfiguration(AwsResource):
    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        encryption = params.get("EncryptionConfiguration")
        if isinstance(encryption, dict):
            # An absent mode is one, and S3's is a list of one.
            for member, mode in (
                ("CloudWatchEncryption", "CloudWatchEncryptionMode"),
                ("JobBookmarksEncryption", "JobBookmarksEncryptionMode"),
                ("S3Encryption", "S3EncryptionMode"),
            ):
                encryption[member] = {mode: "DISABLED", **(encryption.get(member) or {})}
            encryption["S3Encryption"] = [encryption["S3Encryption"]]
        return params

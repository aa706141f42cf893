"""Step Functions: state machines (twin/aws/state_machines executes them)."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, reads, same, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import UNKNOWN, AutoName, Failure, Props

_ARN: Final = {"stateMachineArn": "{id}"}
_OTHERS: Final = ("publish", "versionDescription")


def _logging(value: Any) -> Any:
    if value is UNKNOWN:
        return value
    arn = value.get("logDestination")
    destination = {"destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]} if arn else {}
    rest = {key: value[key] for key in ("level", "includeExecutionData") if value.get(key) is not None}
    return {**rest, **destination}


def _logged(value: Any) -> Any:
    destinations = value.get("destinations") or [{}]
    arn = (destinations[0].get("cloudWatchLogsLogGroup") or {}).get("logGroupArn")
    rest = {
        "level": value.get("level", "OFF"),
        "includeExecutionData": value.get("includeExecutionData", False),
    }
    return {**rest, **({"logDestination": arn} if arn else {})}


class StateMachine(AwsResource):
    token = "aws:sfn/stateMachine:StateMachine"
    service = "stepfunctions"
    title = "SFN State Machine"
    fields = {
        **same("name", "definition", "roleArn", "type"),
        "namePrefix": Field(read=""),
        "loggingConfiguration": Field("loggingConfiguration", encode=_logging, decode=_logged),
        "tracingConfiguration": Field("tracingConfiguration", of=same("enabled")),
        "encryptionConfiguration": Field(
            "encryptionConfiguration", of=same("type", "kmsKeyId", "kmsDataKeyReusePeriodSeconds")
        ),
        **kept(*_OTHERS),
        **reads(arn="stateMachineArn", status="status", description="description"),
    }
    create_call = Call("CreateStateMachine")
    id_path = "stateMachineArn"
    read_call = Call("DescribeStateMachine", _ARN)
    not_found = frozenset({"StateMachineDoesNotExist"})
    delete_call = Call("DeleteStateMachine", _ARN)
    tagging = Tagging(
        create="tags",
        key="key",
        value="value",
        listing=Call("ListTagsForResource", {"resourceArn": "{id}"}),
        listed="tags",
        add=Call("TagResource", {"resourceArn": "{id}", "tags": "{tags}"}),
        remove=Call("UntagResource", {"resourceArn": "{id}", "tagKeys": "{keys}"}),
    )
    autoname = AutoName(max_length=80)
    name_prefix = ("namePrefix", "name", 80)
    computed = frozenset({"encryptionConfiguration", "loggingConfiguration", "tracingConfiguration"})
    defaults = {"type": "STANDARD"}
    documents = frozenset({"definition"})
    paths = {
        "InvalidDefinition": "definition",
        "InvalidLoggingConfiguration": "loggingConfiguration",
        "InvalidEncryptionConfiguration": "encryptionConfiguration",
        "AccessDeniedException": "roleArn",
        "InvalidName": "name",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for other in _OTHERS:
            if inputs.get(other):
                yield Failure(other, "of state machines the twin has those without versions")

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            params: Any = to_api(self.fields, new)
            for key in ("name", "type"):
                params.pop(key, None)
            context.call("stepfunctions", "UpdateStateMachine", {"stateMachineArn": id, **params})

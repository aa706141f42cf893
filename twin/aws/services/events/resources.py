"""EventBridge: rules and where their events go."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from twin.aws.api_server.errors import code_of
from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, Fields, kept, pascal, reads
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

_GONE: Final = frozenset({"ResourceNotFoundException"})
_ARN: Final = "arn:{partition}:events:{region}:{account}:rule/{name}"


class EventRule(AwsResource):
    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    title = "EventBridge Rule"
    fields = {
        **pascal("name", "description", "eventPattern", "roleArn", "scheduleExpression", "state"),
        "eventBusName": Field("EventBusName"),
        "namePrefix": Field(read=""),
        **kept("isEnabled", "forceDestroy"),
        **reads(arn="Arn"),
    }
    create_call = Call("PutRule")
    id_form = "{name}"
    read_call = Call("DescribeRule", {"Name": "{name}", "EventBusName": "{eventBusName}"})
    not_found = _GONE
    delete_call = Call(
        "DeleteRule", {"Name": "{name}", "EventBusName": "{eventBusName}", "Force": "{forceDestroy}"}
    )
    tagging = Tagging(
        listing=Call("ListTagsForResource", {"ResourceARN": _ARN}),
        listed="Tags",
        add=Call("TagResource", {"ResourceARN": _ARN, "Tags": "{tags}"}),
        remove=Call("UntagResource", {"ResourceARN": _ARN, "TagKeys": "{keys}"}),
    )
    autoname = AutoName(max_length=64)
    name_prefix = ("namePrefix", "name", 64)
    computed = frozenset({"state"})
    documents = frozenset({"eventPattern"})
    defaults = {
        "eventBusName": "default",
    }
    paths = {
        "InvalidEventPatternException": "eventPattern",
        "ValidationException": "scheduleExpression",
        "ResourceNotFoundException": "eventBusName",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("eventPattern") is None and inputs.get("scheduleExpression") is None:
            yield Failure("eventPattern", "one of event_pattern, schedule_expression must be specified")
        pattern = inputs.get("eventPattern")
        if isinstance(pattern, str):
            yield from _pattern(pattern)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            wanted = {**self._inherited(old, new), **{k: v for k, v in new.items() if v is not None}}
            params = self.create_params(context, wanted)
            params.pop("Tags", None)  # PutRule refuses them for a rule that is there
            context.call("events", "PutRule", params)


def _pattern(text: str) -> Iterator[Failure]:
    try:
        document = json.loads(text)
    except ValueError as error:
        yield Failure("eventPattern", f"Event pattern is not valid. Reason: {error}")
        return
    if not isinstance(document, dict) or not document:
        yield Failure("eventPattern", "Event pattern is not valid. Reason: it must be an object with members")
        return
    if not all(isinstance(value, (list, dict)) for value in document.values()):
        yield Failure("eventPattern", "Event pattern is not valid. Reason: values must be lists or objects")


_TARGET: Final[Fields] = {
    "arn": Field("Arn"),
    "targetId": Field("Id"),
    **pascal("input", "inputPath", "roleArn"),
    "inputTransformer": Field(
        "InputTransformer",
        of={"inputPaths": Field("InputPathsMap"), "inputTemplate": Field("InputTemplate")},
    ),
    "deadLetterConfig": Field("DeadLetterConfig", of=pascal("arn")),
    "retryPolicy": Field(
        "RetryPolicy",
        of={
            "maximumEventAgeInSeconds": Field("MaximumEventAgeInSeconds"),
            "maximumRetryAttempts": Field("MaximumRetryAttempts"),
        },
    ),
    "sqsTarget": Field("SqsParameters", of=pascal("messageGroupId")),
    "kinesisTarget": Field("KinesisParameters", of=pascal("partitionKeyPath")),
}
_OTHERS: Final = (
    "appsyncTarget",
    "batchTarget",
    "ecsTarget",
    "httpTarget",
    "redshiftTarget",
    "runCommandTargets",
    "sagemakerPipelineTarget",
)


class EventTarget(AwsResource):
    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    title = "EventBridge Target"
    fields = {
        "rule": Field("Rule", read=""),
        "eventBusName": Field("EventBusName", read=""),
        **{
            name: Field(f"Targets.{field.api}", read=field.api, of=field.of)
            for name, field in _TARGET.items()
        },
        **kept("forceDestroy", *_OTHERS),
    }
    create_call = Call("PutTargets")
    read_call = Call("ListTargetsByRule", {"Rule": "{rule}", "EventBusName": "{eventBusName}"})
    id_form = "{rule}-{targetId}"
    not_found = _GONE
    autoname = AutoName("targetId", max_length=64)
    documents = frozenset({"input"})
    defaults = {
        "eventBusName": "default",
    }
    paths = {"ResourceNotFoundException": "rule", "ValidationException": "arn"}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        given = [name for name in ("input", "inputPath", "inputTransformer") if inputs.get(name) is not None]
        if len(given) > 1:
            yield Failure(given[1], f'"{given[1]}": conflicts with {given[0]}')
        for name in _OTHERS:
            if inputs.get(name) is not None:
                yield Failure(name, "targets of this kind are not in the twin")

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        target = params.get("Targets")
        return {**params, "Targets": [target]} if isinstance(target, dict) else params

    def property_of(self, path: str) -> str:
        return super().property_of(path.replace("Targets[0]", "Targets"))

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        asked = {"Rule": state["rule"], "EventBusName": state.get("eventBusName") or "default"}
        try:
            answer = context.call("events", "ListTargetsByRule", asked)
        except ClientError as error:
            if code_of(error) in self.not_found:
                return None
            raise
        for target in answer.get("Targets") or []:
            if target["Id"] == state.get("targetId"):
                return target
        return None

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            self.make(context, {**self._inherited(old, new), **new})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        bus = state.get("eventBusName") or "default"
        given = {"Rule": state["rule"], "EventBusName": bus, "Ids": [state["targetId"]]}
        context.call("events", "RemoveTargets", given)

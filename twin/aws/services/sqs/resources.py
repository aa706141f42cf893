"""SQS: queues and their policies."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, reads
from twin.aws.resources.tags import Tagging
from twin.provider_interface import UNKNOWN, AutoName, Failure, Props

_GONE: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_READ: Final = Call("GetQueueAttributes", {"QueueUrl": "{id}", "AttributeNames": ["All"]})


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


def _text(value: Any) -> Any:
    if value is UNKNOWN:
        return value
    return str(value).lower() if isinstance(value, bool) else str(int(value))


def _is_true(value: Any) -> Any:
    return value == "true" if isinstance(value, str) else value


def _attribute(name: str, **functions: Any) -> Field:
    return Field(f"Attributes.{name}", **functions)


def _count(name: str) -> Field:
    return _attribute(name, encode=_text, decode=_number)


def _flag(name: str) -> Field:
    return _attribute(name, encode=_text, decode=_is_true)


class Queue(AwsResource):
    token = "aws:sqs/queue:Queue"
    service = "sqs"
    title = "SQS Queue"
    fields = {
        "name": Field("QueueName", read=""),
        "namePrefix": Field(read=""),
        "delaySeconds": _count("DelaySeconds"),
        "kmsDataKeyReusePeriodSeconds": _count("KmsDataKeyReusePeriodSeconds"),
        "maxMessageSize": _count("MaximumMessageSize"),
        "messageRetentionSeconds": _count("MessageRetentionPeriod"),
        "receiveWaitTimeSeconds": _count("ReceiveMessageWaitTimeSeconds"),
        "visibilityTimeoutSeconds": _count("VisibilityTimeout"),
        "contentBasedDeduplication": _flag("ContentBasedDeduplication"),
        "fifoQueue": _flag("FifoQueue"),
        "sqsManagedSseEnabled": _flag("SqsManagedSseEnabled"),
        "deduplicationScope": _attribute("DeduplicationScope"),
        "fifoThroughputLimit": _attribute("FifoThroughputLimit"),
        "kmsMasterKeyId": _attribute("KmsMasterKeyId"),
        "policy": _attribute("Policy"),
        "redriveAllowPolicy": _attribute("RedriveAllowPolicy"),
        "redrivePolicy": _attribute("RedrivePolicy"),
        **reads(arn="Attributes.QueueArn"),
    }
    create_call = Call("CreateQueue")
    id_path = "QueueUrl"
    read_call = _READ
    not_found = _GONE
    delete_call = Call("DeleteQueue", {"QueueUrl": "{id}"})
    tagging = Tagging(
        create="tags",
        key="",
        value="",
        listing=Call("ListQueueTags", {"QueueUrl": "{id}"}),
        listed="Tags",
        add=Call("TagQueue", {"QueueUrl": "{id}", "Tags": "{tags}"}),
        remove=Call("UntagQueue", {"QueueUrl": "{id}", "TagKeys": "{keys}"}),
    )
    autoname = AutoName(max_length=80)
    name_prefix = ("namePrefix", "name", 80)
    computed = frozenset({"kmsDataKeyReusePeriodSeconds", "policy", "sqsManagedSseEnabled"})
    documents = frozenset({"policy", "redrivePolicy", "redriveAllowPolicy"})
    defaults = {
        "delaySeconds": 0,
        "maxMessageSize": 262144,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    }
    paths = {
        "QueueAlreadyExists": "name",
        "QueueNameExists": "name",
        "InvalidParameterValue": "name",
        "InvalidAttributeValue": "policy",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        name, is_fifo = inputs.get("name"), inputs.get("fifoQueue")
        if isinstance(name, str) and is_fifo is not UNKNOWN and name.endswith(".fifo") != bool(is_fifo):
            yield Failure("name", f"invalid queue name: {name}: the names of FIFO queues alone end in .fifo")
        if inputs.get("sqsManagedSseEnabled") is True and inputs.get("kmsMasterKeyId"):
            yield Failure(
                "sqsManagedSseEnabled", '"sqs_managed_sse_enabled": conflicts with kms_master_key_id'
            )

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        return {"name": id.rpartition("/")[2], "url": id}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = {
            name: self.fields[name].api.partition(".")[2]
            for name in self.changed(old, new)
            if self.fields[name].api.startswith("Attributes.")
        }
        if changed:
            wanted = {**self.defaults, **{name: value for name, value in new.items() if value is not None}}
            attributes: Props = self.create_params(context, wanted).get("Attributes") or {}
            removed = dict.fromkeys(changed.values(), "")
            update = {api: value for api, value in {**removed, **attributes}.items() if api in removed}
            context.call("sqs", "SetQueueAttributes", {"QueueUrl": id, "Attributes": update})


class QueuePolicy(AwsResource):
    token = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    title = "SQS Queue Policy"
    fields = {
        "queueUrl": Field("QueueUrl", read=""),
        "policy": _attribute("Policy"),
    }
    create_call = Call("SetQueueAttributes")
    id_form = "{queueUrl}"
    read_call = _READ
    gone = "!(Attributes.Policy)"
    not_found = _GONE
    delete_call = Call("SetQueueAttributes", {"QueueUrl": "{id}", "Attributes": {"Policy": ""}})
    documents = frozenset({"policy"})
    paths = {"QueueDoesNotExist": "queueUrl", "InvalidAttributeValue": "policy"}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            self.make(context, new)

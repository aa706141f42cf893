"""SQS: queues and their policies."""

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class Queue(AwsResource):
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

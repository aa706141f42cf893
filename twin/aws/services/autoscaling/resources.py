"""EC2 Auto Scaling: tags of groups that others own (the groups of managed node groups)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.fields import pascal, to_api
from twin.aws.resources.waiting import Checked
from twin.provider_interface import Props


class Tag(AwsResource):
    def checked_calls(self, context: AwsContext, inputs: Props) -> Iterator[Checked]:
        yield Checked("CreateOrUpdateTags", {"Tags": [self._tag(inputs)]}, "tag")

    def property_of(self, path: str) -> str:
        member = path.rpartition(".")[2]
        if member == "ResourceId":
            return "autoscalingGroupName"
        return f"tag.{member[0].lower()}{member[1:]}" if member in ("Key", "Value") else ""

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return f"{inputs['autoscalingGroupName']},{inputs['tag']['key']}"

    def make(self, context: AwsContext, inputs: Props) -> Props:
        # The API takes a tag of a group that does not exist; the provider looks first.
        name = inputs["autoscalingGroupName"]
        response = context.call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": [name]})
        if not response["AutoScalingGroups"]:
            missing = {
                "Error": {"Code": "ValidationError", "Message": f"AutoScalingGroup name not found - {name}"},
                "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": ""},
            }
            raise ClientError(missing, "CreateOrUpdateTags")  # type: ignore[arg-type]
        return context.call("autoscaling", "CreateOrUpdateTags", {"Tags": [self._tag(inputs)]})

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        group, _, key = id.partition(",")
        filters = [{"Name": "auto-scaling-group", "Values": [group]}, {"Name": "key", "Values": [key]}]
        tags = context.call("autoscaling", "DescribeTags", {"Filters": filters})["Tags"]
        return next((tag for tag in tags if tag["ResourceId"] == group and tag["Key"] == key), None)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        context.call("autoscaling", "CreateOrUpdateTags", {"Tags": [self._tag(new)]})

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        group, _, key = id.partition(",")
        tag = {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": key}
        if self.find(context, id, state) is not None:
            context.call("autoscaling", "DeleteTags", {"Tags": [tag]})

    @staticmethod
    def _tag(inputs: Mapping[str, Any]) -> Props:
        group = {"ResourceId": inputs.get("autoscalingGroupName"), "ResourceType": "auto-scaling-group"}
        tag = to_api(pascal("key", "value", "propagateAtLaunch"), inputs.get("tag") or {})
        return {**{name: value for name, value in group.items() if value is not None}, **tag}

"""EC2's placement groups, and tags of resources that others own."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, pascal, reads
from twin.aws.resources.tags import Ec2Tagging
from twin.aws.resources.waiting import Checked
from twin.provider_interface import AutoName, Failure, Props


class PlacementGroup(AwsResource):
    token = "aws:ec2/placementGroup:PlacementGroup"
    service = "ec2"
    title = "EC2 Placement Group"
    fields = {
        "name": Field("GroupName"),
        **pascal("strategy", "partitionCount", "spreadLevel"),
        **reads(placementGroupId="GroupId"),
    }
    create_call = Call("CreatePlacementGroup")
    id_form = "{name}"
    arn_form = "arn:{partition}:ec2:{region}:{account}:placement-group/{name}"
    read_call = Call("DescribePlacementGroups", {"GroupNames": ["{id}"]})
    item = "PlacementGroups[0]"
    gone = "State == 'deleted'"
    not_found = frozenset({"InvalidPlacementGroup.Unknown"})
    delete_call = Call("DeletePlacementGroup", {"GroupName": "{id}"})
    busy = frozenset({"InvalidPlacementGroup.InUse"})
    deleted_seconds = 300.0
    tagging = Ec2Tagging("placement-group")
    autoname = AutoName(max_length=255)
    computed = frozenset({"name"})
    paths = {"InvalidPlacementGroup.Duplicate": "name"}

    def values(self, context: AwsContext, id: str, props: Props) -> Props:
        found = super().values(context, id, props)
        return {**found, "placementGroupId": props.get("placementGroupId")}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        partitions = inputs.get("partitionCount")
        if partitions and inputs.get("strategy") not in (None, "partition"):
            yield Failure("partitionCount", "partition_count must not be set when strategy is not partition")
        if isinstance(partitions, (int, float)) and not 0 <= partitions <= 7:
            yield Failure(
                "partitionCount", f"expected partition_count to be in the range (0 - 7), got {partitions:g}"
            )

    def _change_tags(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        # Tags go by the group's id, while the provider's id is its name.
        super()._change_tags(context, str(old.get("placementGroupId") or id), old, new)


class Tag(AwsResource):
    """One tag of an EC2 resource that another stack or service owns."""

    token = "aws:ec2/tag:Tag"
    service = "ec2"
    title = "EC2 Tag"
    fields = {
        "resourceId": Field("Resources", read="ResourceId"),
        "key": Field(read="Key"),
        "value": Field(read="Value"),
    }
    create_call = Call("CreateTags")
    id_form = "{resourceId},{key}"
    read_call = Call("DescribeTags")

    def describe(self, props: Props, id: str = "") -> str:
        return id or f"{props.get('resourceId')},{props.get('key')}"

    def checked_calls(self, context: AwsContext, inputs: Props) -> Iterator[Checked]:
        yield Checked("CreateTags", self.create_params(context, inputs), "value")

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        tag = {"Key": inputs.get("key"), "Value": inputs.get("value")}
        return {"Resources": [inputs.get("resourceId")], "Tags": [tag]}

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        resource, _, key = id.partition(",")
        filters = [{"Name": "resource-id", "Values": [resource]}, {"Name": "key", "Values": [key]}]
        tags = context.call("ec2", "DescribeTags", {"Filters": filters})["Tags"]
        return next((tag for tag in tags if tag["ResourceId"] == resource and tag["Key"] == key), None)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        context.call("ec2", "CreateTags", self.create_params(context, new))

    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        resource, _, key = id.partition(",")
        if self.find(context, id, state) is not None:
            context.call("ec2", "DeleteTags", {"Resources": [resource], "Tags": [{"Key": key}]})

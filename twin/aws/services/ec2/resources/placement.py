"""EC2's placement groups."""

from __future__ import annotations

from collections.abc import Iterator

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Failure, Props


class PlacementGroup(AwsResource):
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

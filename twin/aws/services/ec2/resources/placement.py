"""EC2's placement groups."""

from __future__ import annotations

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class PlacementGroup(AwsResource):
    def values(self, context: AwsContext, id: str, props: Props) -> Props:
        values = super().values(context, id, props)
        return {**values, "placementGroupId": props.get("placementGroupId")}

    def _change_tags(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        # Tags go by the group's id, while the provider's id is its name.
        super()._change_tags(context, str(old.get("placementGroupId") or id), old, new)

"""The rights that a call of EC2 needs, resource by resource."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twin.aws.services.ec2 import permissions

PLACE = "arn:aws:ec2:us-west-2:123456789012:"


def needed(**params: Any) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return (action, resource) -> context of a CreateVolume."""
    backend = SimpleNamespace(
        describe_tags=lambda filters: [{"key": "of", "value": filters["resource-id"][0]}]
    )
    moto: Any = SimpleNamespace(account="123456789012", backend=lambda *_: backend)
    call: Any = SimpleNamespace(service="ec2", operation="CreateVolume", params=params, region="us-west-2")
    return {(right.action, right.resource): dict(right.context) for right in permissions.needed(call, moto)}


def test_volume_is_created_by_the_tags_of_the_request_and_tagged_by_a_separate_right() -> None:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
    request = {"aws:RequestTag/a": "b", "aws:TagKeys": "a"}
    assert needed(TagSpecifications=tags) == {
        ("ec2:CreateVolume", f"{PLACE}volume/*"): request,
        ("ec2:CreateTags", f"{PLACE}volume/*"): {**request, "ec2:CreateAction": "CreateVolume"},
    }
    assert list(needed()) == [("ec2:CreateVolume", f"{PLACE}volume/*")], "no tags, no right to tag"


def test_volume_of_a_snapshot_takes_a_right_on_the_snapshot() -> None:
    context = needed(SnapshotId="snap-1")["ec2:CreateVolume", "arn:aws:ec2:us-west-2::snapshot/snap-1"]
    assert context["ec2:ResourceTag/of"] == "snap-1"

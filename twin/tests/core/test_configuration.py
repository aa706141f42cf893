"""A provider's configuration, with AWS's own rule of what is another place."""

from __future__ import annotations

import pytest

from twin.aws.provider import AwsCloud
from twin.checks.sdk import sdk
from twin.core.configuration import changed, decode
from twin.provider_interface import UNKNOWN, Props

AWS = sdk("pulumi_aws")


def test_text_stays_text_and_json_becomes_values() -> None:
    raw = {"region": "us-west-2", "allowedAccountIds": '["1"]', "insecure": "true", "version": "7.0.0"}
    assert decode(AWS, raw) == {"region": "us-west-2", "allowedAccountIds": ["1"], "insecure": True}


def test_what_is_no_json_stays_for_the_check_to_refuse() -> None:
    assert decode(AWS, {"defaultTags": "owner=me"}) == {"defaultTags": "owner=me"}


def test_an_unknown_value_may_differ() -> None:
    assert changed({"region": "a"}, {"region": UNKNOWN}) == ["region"]


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ({"region": "a"}, {"region": "b"}, ["region"]),
        ({"region": "a"}, {"region": "a", "profile": "p"}, []),
        ({}, {"region": "a"}, []),
        ({"allowedAccountIds": ["1"]}, {"allowedAccountIds": ["2"]}, ["allowedAccountIds"]),
        ({"allowedAccountIds": ["1"]}, {"allowedAccountIds": ["1", "2"]}, []),
        ({}, {"allowedAccountIds": ["1"]}, []),
    ],
)
def test_another_region_or_account_is_another_place(old: Props, new: Props, moved: list[str]) -> None:
    assert AwsCloud().moves(old, new) == moved

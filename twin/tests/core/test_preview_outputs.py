"""Outputs inside an input object, in a preview."""

from twin.core.preview_outputs import with_nested
from twin.provider_interface import UNKNOWN

PATHS = ("vpc.group", "vpc.id", "other.x")


def test_a_create_does_not_know_them() -> None:
    inputs = {"vpc": {"subnets": [1], "id": "mine"}}
    assert with_nested(inputs, PATHS) == {"vpc": {"subnets": [1], "id": "mine", "group": UNKNOWN}}
    assert inputs == {"vpc": {"subnets": [1], "id": "mine"}}, "the inputs stay as they are"


def test_an_update_keeps_what_the_state_has() -> None:
    state = {"vpc": {"subnets": [1], "group": "sg-1"}}
    assert with_nested({"vpc": {"subnets": [2]}}, PATHS, state) == {"vpc": {"subnets": [2], "group": "sg-1"}}

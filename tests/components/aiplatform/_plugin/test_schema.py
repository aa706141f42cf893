"""What the schema makes of the types of a component's arguments."""

from typing import Literal, NotRequired, TypedDict

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import PropertyType

from aiplatform._plugin.schema import analyze


class FlushArgs(TypedDict):
    """Arguments of Flush."""

    seconds: NotRequired[Literal[60, 600]]
    """How often."""
    mode: NotRequired[Literal["per_zone", "single"]]
    """How."""


class Flush(pulumi.ComponentResource):
    """A component with choices."""

    def __init__(self, name: str, args: FlushArgs, opts: pulumi.ResourceOptions | None = None) -> None: ...


class MixedArgs(TypedDict):
    """Arguments of Mixed."""

    seconds: NotRequired[Literal[60, "never"]]
    """How often."""


class Mixed(pulumi.ComponentResource):
    """A component with a choice between values of two types."""

    def __init__(self, name: str, args: MixedArgs, opts: pulumi.ResourceOptions | None = None) -> None: ...


def test_a_choice_of_words_or_numbers_is_an_enum() -> None:
    types = analyze("aiplatform", [Flush]).types
    seconds, mode = types["FlushSeconds"], types["FlushMode"]
    assert (seconds.type, mode.type) == (PropertyType.INTEGER, PropertyType.STRING)
    assert [(member.name, member.value) for member in seconds.enum or []] == [
        ("Value60", 60),
        ("Value600", 600),
    ]
    assert [member.name for member in mode.enum or []] == ["PerZone", "Single"]


def test_a_choice_between_values_of_two_types_is_refused_with_its_key() -> None:
    with pytest.raises(
        TypeError, match=r"MixedArgs\.seconds: Literal\[60, 'never'\]; expected only strings or only integers"
    ):
        analyze("aiplatform", [Mixed])

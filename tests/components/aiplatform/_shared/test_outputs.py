"""Values that components derive from arguments that may be outputs."""

from typing import Any

import pytest
from pulumi import Output

from aiplatform._shared.outputs import mapped, mapped_list, mapped_object, merged
from tests.components.recording import record, value


def later(argument: Any) -> Any:
    """An output with this value."""
    return Output.from_input(argument)


def result_of(program: Any) -> Any:
    return record(program).result


def test_a_value_of_plain_arguments_is_plain() -> None:
    assert mapped(3, str) == "3"
    assert mapped_list(["a", "b"], "".join) == "ab"
    assert mapped_object({"a": 1}, len) == 1
    assert merged({"team": "ml"}, {"Name": "vpc"}) == {"team": "ml", "Name": "vpc"}


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda: mapped(later(3), str), "3"),
        (lambda: mapped_list(later(["a", "b"]), "".join), "ab"),
        (lambda: mapped_list(["a", later("b")], "".join), "ab"),
        (lambda: mapped_object(later({"a": 1}), len), 1),
        (lambda: mapped_object({"a": later(1), "b": 2}, lambda known: sum(known.values())), 3),
    ],
)
def test_a_value_of_an_output_is_an_output(compute: Any, expected: Any) -> None:
    result = result_of(compute)
    assert isinstance(result, Output)
    assert value(result) == expected


def test_of_two_tags_with_one_key_the_last_applies() -> None:
    assert merged({"Name": "theirs"}, {"Name": "ours"}) == {"Name": "ours"}
    whole = result_of(lambda: merged(later({"Name": "theirs", "team": later("ml")}), {"Name": "ours"}))
    assert value(whole) == {"Name": "ours", "team": "ml"}


def test_tags_whose_values_are_outputs_keep_plain_keys() -> None:
    result = result_of(lambda: merged({"team": later("ml")}, {"Name": "vpc"}))
    assert set(result) == {"team", "Name"}, "keys stay known in a preview"

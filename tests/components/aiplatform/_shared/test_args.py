"""The shared reader of arguments: what it accepts, and how it says what is wrong."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pulumi
import pytest
from pulumi import Input

from aiplatform._shared.args import (
    UNKNOWN,
    ArgumentError,
    Problem,
    between,
    check_each,
    distinct,
    is_unknown,
    length,
    matches,
    one_of,
    placeholder,
    read,
)


@dataclass(frozen=True)
class _Nodes:
    min: Annotated[int, between(0, 10, "nodes")] = 0
    max: int = 3
    types: Annotated[list[str], length(1, 2, "types"), distinct] = field(
        default_factory=lambda: ["m7i.large"]
    )

    def check(self) -> Iterator[Problem]:
        yield from check_each([("min", f"got {self.min}, above max" if self.min > self.max else None)])


@dataclass(frozen=True)
class _Thing:
    name: Annotated[str, matches(r"[a-z]+", "lower-case letters")]
    nat: Literal["none", "single", "per_zone"] = "single"
    accelerator: Annotated[str, one_of({"h100", "h200", "l4"})] = "l4"
    nodes: _Nodes = field(default_factory=_Nodes)
    pools: dict[str, _Nodes] = field(default_factory=dict[str, _Nodes])
    vpc: Input[str] | None = None
    subnets: Input[list[Input[str]]] = field(default_factory=list[Input[str]])
    ratio: float = 1.0
    on: bool = False
    seconds: Literal[60, 600] = 60
    note: str | None = None
    anything: Any = None


def _problems(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as refused:
        read(_Thing, {"name": "thing", **arguments}, "ThingArgs")
    return [str(problem) for problem in refused.value.problems]


def test_defaults_fill_what_is_left_out_and_none_means_left_out():
    assert read(_Thing, {"name": "thing", "nat": None, "nodes": None}, "ThingArgs") == _Thing("thing")


def test_nested_objects_become_frozen_values():
    thing = read(_Thing, {"name": "thing", "nodes": {"max": 5}, "pools": {"a": {"min": 1}}}, "ThingArgs")
    assert thing.nodes == _Nodes(max=5)
    assert thing.pools == {"a": _Nodes(min=1)}
    with pytest.raises(AttributeError):
        thing.nodes.max = 6  # type: ignore[misc]


def test_a_number_of_a_few_is_accepted_also_as_the_float_that_a_plugin_gets():
    thing = read(_Thing, {"name": "thing", "seconds": 600.0}, "ThingArgs")
    assert (thing.seconds, type(thing.seconds)) == (600, int)
    assert _problems(seconds=61) == ["ThingArgs.seconds: got 61; expected one of 60, 600"]
    assert _problems(seconds="60")
    assert _problems(seconds=True)


def test_an_unknown_key_names_the_nearest_at_any_depth():
    assert _problems(natt="single") == ["ThingArgs.natt: unknown key; did you mean 'nat'?"]
    assert _problems(pools={"a": {"maxx": 1}}) == ["ThingArgs.pools.a.maxx: unknown key; did you mean 'max'?"]


def test_an_unknown_key_without_a_neighbour_lists_the_known_ones():
    (problem,) = _problems(nodes={"quux": 1})
    assert problem == "ThingArgs.nodes.quux: unknown key; known keys: max, min, types"


def test_a_misspelt_word_names_the_nearest():
    assert _problems(nat="singel") == [
        "ThingArgs.nat: got 'singel'; expected one of none, single, per_zone; did you mean 'single'?"
    ]
    assert "did you mean 'h100'?" in _problems(accelerator="h10")[0]


def test_a_wrong_type_is_refused_with_the_expected_one():
    assert _problems(nodes={"max": "three"}) == ["ThingArgs.nodes.max: got 'three'; expected an integer"]
    assert _problems(nodes={"max": True}) == ["ThingArgs.nodes.max: got True; expected an integer"]
    assert _problems(nodes={"types": "m7i.large"}) == [
        "ThingArgs.nodes.types: got 'm7i.large'; expected a list (a string each)"
    ]
    assert _problems(nodes={"types": ["a", 1]}) == ["ThingArgs.nodes.types[1]: got 1; expected a string"]
    assert _problems(on="yes") == ["ThingArgs.on: got 'yes'; expected true or false"]
    assert _problems(nodes=[1]) == ["ThingArgs.nodes: got [1]; expected an object with max, min, types"]
    assert "expected an object" in _problems(pools=3)[0]


def test_a_missing_argument_is_refused_with_its_type():
    with pytest.raises(ArgumentError, match=r"ThingArgs\.name: missing; expected a string"):
        read(_Thing, {}, "ThingArgs")


def test_all_problems_are_in_one_error():
    problems = _problems(natt=1, nat="x", nodes={"min": 11, "types": ["a", "a"]}, name="A1")
    assert len(problems) == 5, problems
    with pytest.raises(ArgumentError, match="2 arguments are wrong:\n  ThingArgs"):
        read(_Thing, {"name": "x", "nat": "x", "on": 1}, "ThingArgs")


def test_ranges_lengths_and_duplicates_are_refused():
    assert _problems(nodes={"min": 11}) == ["ThingArgs.nodes.min: got 11; expected 0 to 10 nodes"]
    assert "of length 0; expected 1 to 2 types" in _problems(nodes={"types": []})[0]
    assert "which repeats a; expected no duplicates" in _problems(nodes={"types": ["a", "a"]})[0]


def test_a_rule_over_several_keys_has_the_path_of_the_key():
    assert _problems(pools={"a": {"min": 4, "max": 2}}) == ["ThingArgs.pools.a.min: got 4, above max"]


def test_an_output_passes_where_the_type_takes_one_and_nowhere_else():
    asyncio.run(_an_output_passes())


async def _an_output_passes() -> None:
    output = pulumi.Output.from_input("vpc-1")
    thing = read(_Thing, {"name": "thing", "vpc": output, "subnets": [output, "subnet-2"]}, "ThingArgs")
    assert thing.vpc is output
    assert thing.subnets == [output, "subnet-2"]
    assert read(_Thing, {"name": "thing", "subnets": output}, "ThingArgs").subnets is output
    (problem,) = _problems(nat=output)
    assert "only known after a deployment" in problem
    assert "decides what is created" in problem


def test_unknown_passes_for_strings_and_its_rules_are_skipped():
    unknown = {"name": UNKNOWN, "accelerator": UNKNOWN, "vpc": UNKNOWN, "subnets": UNKNOWN}
    with pytest.raises(ArgumentError) as refused:
        read(_Thing, {**unknown, "ratio": "wide"}, "ThingArgs")
    assert [str(problem) for problem in refused.value.problems] == [
        "ThingArgs.ratio: got 'wide'; expected a number"
    ], "what is known is checked"


def test_placeholder_is_unknown_in_every_key_that_takes_an_output_and_is_not_known():
    arguments = placeholder(_Thing, name="thing", vpc=None)
    assert arguments == {"name": "thing", "vpc": None, "subnets": UNKNOWN}
    assert read(_Thing, arguments, "ThingArgs").subnets is UNKNOWN


@pytest.mark.parametrize("key", ["nat", "nodes", "pools", "ratio", "on"])
def test_unknown_is_refused_where_no_rule_could_be_evaluated_without_it(key: str):
    (problem,) = _problems(**{key: UNKNOWN})
    assert "decides what is created" in problem


def test_unknown_is_no_value_of_a_deployment():
    async def wait() -> None:
        await UNKNOWN

    assert is_unknown(UNKNOWN)
    with pytest.raises(RuntimeError, match="not for registering resources"):
        asyncio.run(wait())


def test_a_plain_value_where_an_output_may_stand_is_checked():
    assert _problems(vpc=3) == ["ThingArgs.vpc: got 3; expected a string"]
    assert _problems(subnets=["subnet-1", 2]) == ["ThingArgs.subnets[1]: got 2; expected a string"]


def test_numbers_from_another_language_arrive_as_floats():
    assert read(_Thing, {"name": "thing", "nodes": {"max": 4.0}}, "ThingArgs").nodes.max == 4
    assert _problems(nodes={"max": 4.5}) == ["ThingArgs.nodes.max: got 4.5; expected an integer"]
    assert read(_Thing, {"name": "thing", "ratio": 2}, "ThingArgs").ratio == 2


def test_a_long_value_is_cut_in_the_error():
    (problem,) = _problems(nat="x" * 500)
    assert len(problem) < 200


@dataclass(frozen=True)
class _Retention:
    days: Input[Annotated[int, between(1, 30, "days")]] = 7


async def _read_days(days: float) -> Any:
    arguments = read(_Retention, {"days": pulumi.Output.from_input(days)}, "RetentionArgs")
    return await pulumi.Output.from_input(arguments.days).future()


def test_a_number_that_is_an_output_is_an_integer_once_it_is_known() -> None:
    days = asyncio.run(_read_days(14.0))
    assert (days, type(days)) == (14, int), "the plugin's protocol has only floats"


def test_a_number_that_is_an_output_obeys_its_rules_once_it_is_known() -> None:
    with pytest.raises(ArgumentError, match=r"RetentionArgs\.days: got 31; expected 1 to 30 days"):
        asyncio.run(_read_days(31.0))

"""Names that the program leaves out."""

from __future__ import annotations

import re
from typing import Any

from twin.core.autonaming import Naming, fill
from twin.provider_interface import AutoName, Failure, Props

NAME = AutoName("name", 20)


def name(inputs: Props | None = None, olds: Props | None = None, auto: AutoName = NAME, **more: Any) -> Any:
    values = dict(inputs or {})
    naming = more.pop("naming", Naming())
    failure = fill(auto, values, olds or {}, more.pop("logical", "web"), more.pop("seed", b"s"), naming)
    return failure or values.get(auto.property)


def test_a_name_is_the_logical_name_and_seven_digits() -> None:
    assert re.fullmatch(r"web-[0-9a-f]{7}", name())


def test_the_same_seed_gives_the_same_name() -> None:
    assert name(seed=b"1") == name(seed=b"1")
    assert name(seed=b"1") != name(seed=b"2")


def test_the_name_stays_over_updates() -> None:
    assert name(olds={"name": "web-0000000", "__defaults": ["name"]}) == "web-0000000"


def test_a_name_that_the_program_gave_and_takes_back_is_made_anew() -> None:
    assert name(olds={"name": "mine", "__defaults": []}) != "mine"


def test_the_programs_name_wins() -> None:
    assert name({"name": "mine"}, {"name": "web-0000000", "__defaults": ["name"]}) == "mine"


def test_a_prefix_of_the_programs_leaves_the_name_to_the_cloud() -> None:
    assert name({"namePrefix": "web-"}) is None


def test_some_names_are_lower_case() -> None:
    assert name(auto=AutoName("bucket", 63, lower=True), logical="Data").startswith("data-")


def test_a_name_that_would_be_too_long_is_refused_with_the_path() -> None:
    failure = name(logical="a" * 20)
    assert isinstance(failure, Failure)
    assert failure.path == "name"
    assert "28 characters; at most 20" in failure.reason


def test_the_engines_proposal_is_taken() -> None:
    assert name(naming=Naming("propose", "acme-web")) == "acme-web"
    assert name(naming=Naming("enforce", "Acme"), auto=AutoName("name", 20, lower=True)) == "Acme"


def test_disabled_autonaming_asks_for_a_name() -> None:
    failure = name(naming=Naming("disable"))
    assert isinstance(failure, Failure)
    assert "pulumi:autonaming is disabled" in failure.reason

"""Refusals that are data: which rules apply to a call, and with which words."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated

RULES = """
[refusal]
code = "Invalid"

[values]
most = "Limit || `2`"

[operations]
UpdateThing = ["size"]

[[CreateThing]]
refuse = "!(Source.Location)"
words = "A location is missing"

[[CreateThing]]
each = "Tags"
refuse = "matches(it.Key, 'aws:.*') && Strict"
code = "Reserved"
status = 409
words = "{it.Key} of {Source.Location} is reserved"

[[size]]
refuse = "size(Tags) > most"
words = "At most {most} tags, got {Tags[].Key}"
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with rules next to it."""
    name = f"stated_{tmp_path.name}"
    fake = ModuleType(name)
    fake.__file__ = str(tmp_path / "validation.py")
    monkeypatch.setitem(sys.modules, name, fake)
    (tmp_path / "validation.toml").write_text(RULES, encoding="utf-8")
    return name


def refusal(module: str, operation: str, **params: Any) -> tuple[str, str, int] | None:
    """Code, words and status of the refusal of a call; None where there is none."""
    state: Any = None
    try:
        stated.rules(module)[operation](params, state)
    except Refusal as error:
        return error.code, error.message, error.status
    return None


def test_a_rule_without_a_code_has_the_one_of_its_file(module: str) -> None:
    assert refusal(module, "CreateThing") == ("Invalid", "A location is missing", 400)
    assert refusal(module, "CreateThing", Source={"Location": "here"}) is None


def test_a_rule_about_each_member_sees_the_other_parameters(module: str) -> None:
    params: dict[str, Any] = {"Source": {"Location": "here"}, "Tags": [{"Key": "one"}, {"Key": "aws:two"}]}
    assert refusal(module, "CreateThing", **params) is None, "the other parameter is not set"
    refused = refusal(module, "CreateThing", **params, Strict=True)
    assert refused == ("Reserved", "aws:two of here is reserved", 409)


def test_a_named_expression_is_part_of_rules_and_words(module: str) -> None:
    tags = [{"Key": key} for key in "abc"]
    assert refusal(module, "UpdateThing", Tags=tags) == ("Invalid", "At most 2 tags, got a, b, c", 400)
    assert refusal(module, "UpdateThing", Tags=tags, Limit=3) is None


def test_rules_of_the_code_come_after_those_of_the_file(module: str) -> None:
    calls: list[str] = []

    def second(params: dict[str, Any], _: Any) -> None:
        calls.append(params["Source"]["Location"])

    state: Any = None
    rule = stated.rules(module, {"CreateThing": second})["CreateThing"]
    rule({"Source": {"Location": "here"}}, state)
    assert calls == ["here"]
    with pytest.raises(Refusal):
        rule({}, state)


def test_a_negation_that_binds_closer_than_a_dot_is_an_error(module: str, tmp_path: Path) -> None:
    (tmp_path / "validation.toml").write_text('[[Do]]\nrefuse = "!a.b"\ncode = "X"\nwords = ""\n')
    with pytest.raises(ValueError, match=r"expected `!\(a\.b\)`"):
        refusal(module, "Do")

"""The rules of methods.toml: each is one that is known, and refuses what it states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from twin.gcp import methods, services
from twin.gcp.api_server import discovery
from twin.gcp.api_server.errors import GoogleError
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.server import ApiServer
from twin.gcp.methods import rules
from twin.gcp.resources import stated
from twin.gcp.resources.table import table
from twin.tests.gcp import api_servers

FILES = sorted(Path(services.__file__).parent.glob("*/methods.toml"))
WORDS = {"words", "bad", "right", "missing", "reason"}
KINDS = {"needed", "exists", "filter", "enabled", *rules.DEMANDS}
KEYS = {"field", "within", "when", *WORDS, *KINDS}
RULES = sorted(Path(services.__file__).parent.glob("*/rules.toml"))


@pytest.mark.parametrize("service", [file.parent.name for file in FILES])
def test_every_rule_demands_something_that_is_known(service: str) -> None:
    for name, entry in services.entries(service, "methods").items():
        for rule in entry.get("rules", ()):
            _check_known(name, rule)


@pytest.mark.parametrize("service", [file.parent.name for file in RULES])
def test_every_rule_of_other_resources_is_known(service: str) -> None:
    for name, stated_rules in services.rules(service).items():
        for rule in stated_rules:
            _check_known(name, rule)


def _check_known(name: str, rule: Mapping[str, Any]) -> None:
    assert set(rule) <= KEYS, f"{name}: {rule}"
    refuses = "when" in rule and set(rule) & {"words", "bad"}
    assert refuses or set(rule) & KINDS, f"{name} demands nothing: {rule}"


@pytest.mark.parametrize("service", [file.parent.name for file in FILES if file.parent.name != "compute"])
def test_every_collection_of_a_table_is_served(service: str) -> None:
    for name, entry in services.entries(service, "methods").items():
        for word in entry.get("words", ("create", "patch", "delete")):
            assert methods.handler(f"{name}.{word}"), f"{name} is in methods.toml, and no module serves it"


def test_every_key_of_a_resource_type_is_an_attribute() -> None:
    special = {"base", "inside", "local", "only_read", "only_sent", "read_as", "renamed", "sent_as"}
    for file in sorted(Path(services.__file__).parent.glob("*/resources.toml")):
        for token, entry in stated.of_service(file.parent.name).items():
            if token.startswith("gcp:"):
                unknown = {
                    name for name in entry if name not in special and not hasattr(table()[token], name)
                }
                assert not unknown, f"{token} states {unknown}"


def _call(server: ApiServer) -> Call:
    method = discovery.known("pubsub.projects.topics.create")
    assert method is not None
    return Call(server, server.state, method, {}, {}, "user:ann@example.com", api_servers.PROJECT, 0.0)


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "words"),
    [
        ({"needed": True}, "x", "", "a.some_field must be specified"),
        ({"one_of": ("A", "B")}, "A", "C", "one of A, B is right"),
        ({"range": (1, 5)}, 5, 6, "a.some_field must be from 1 to 5, got 6"),
        ({"seconds": (60, 600)}, "60s", "59.5s", "from 60s to 600s"),
        ({"longest": 3}, "abc", "abcd", "at most 3 characters"),
        ({"matches": "[a-z]+", "right": "letters"}, "abc", "a1", "Invalid a.some_field 'a1': letters"),
        ({"most": 1}, ["a"], ["a", "b"], "at most 1 are allowed, got 2"),
        ({"exists": "pubsub"}, None, "projects/p/topics/none", "was not found"),
        ({"exactly_one": ("bB", "c")}, {"c": {}}, {"bB": 1, "c": 1}, "Exactly one of b_b, c must be set"),
        ({"at_most_one": ("b", "c")}, {"b": 1}, {"b": 1, "c": 1}, "Only one of b, c can be set"),
    ],
)
def test_a_rule_refuses_what_it_states(
    shared: ApiServer, rule: dict[str, Any], right: Any, wrong: Any, words: str
) -> None:
    call = _call(shared)
    stated_rules = ({"field": "someField", **rule},)
    rules.check(call, {"someField": right}, stated_rules, "a.")
    with pytest.raises(GoogleError, match=words):
        rules.check(call, {"someField": wrong}, stated_rules, "a.")


def test_rules_look_into_lists_and_maps_and_hold_where_they_apply(shared: ApiServer) -> None:
    call = _call(shared)
    body = {"mode": "A", "items": [{"n": 1}, {"n": 9}], "named": {"x": {"n": 9}}}
    for field, path in (("items[].n", r"items\[1\]\.n"), ("named{}.n", r"named\[x\]\.n")):
        with pytest.raises(GoogleError, match=f"{path} must be from 0 to 5"):
            rules.check(call, body, ({"field": field, "range": (0, 5)},))
    rules.check(call, body, ({"field": "items[].n", "range": (0, 5), "when": {"mode": "B"}},))
    with pytest.raises(GoogleError, match="Must be one of B"):
        rules.check(call, body, ({"field": "mode", "one_of": ("B",)},), old=True)

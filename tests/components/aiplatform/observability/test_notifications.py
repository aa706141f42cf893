"""Which receiver gets which alerts, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.observability.alertmanager import configuration
from aiplatform.observability.notifications import Notifications

SLACK: Any = {"name": "ml", "slack": {"channel": "#ml", "secret": "acme/slack"}}
PAGER: Any = {"name": "pager", "pagerduty": {"secret": "acme/pagerduty"}}
HOOK: Any = {"name": "heartbeat", "webhook": {"secret": "acme/heartbeat"}}
NIGHT: Any = {"name": "night", "start": "20:00"}


def notifications(**arguments: Any) -> Notifications:
    return read(Notifications, arguments, "N")


def config(**arguments: Any) -> dict[str, Any]:
    return configuration(notifications(**arguments))


def refused(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        notifications(**arguments)
    return [str(problem).removeprefix("N.") for problem in error.value.problems]


def test_without_receivers_nothing_is_sent() -> None:
    document = config()
    assert document["receivers"] == [{"name": "none"}]
    assert document["route"]["receiver"] == "none"


def test_the_watchdog_goes_to_the_heartbeat_alone() -> None:
    document = config(receivers=[SLACK, HOOK], default="ml", heartbeat="heartbeat")
    first = document["route"]["routes"][0]
    assert first["matchers"] == ['alertname="Watchdog"']
    assert (first["receiver"], first["repeat_interval"]) == ("heartbeat", "5m")
    assert "continue" not in first, "it would also go to the default receiver"
    assert config(receivers=[SLACK], default="ml")["route"]["routes"][0]["receiver"] == "none"


def test_routes_keep_their_order_and_what_is_not_urgent_comes_last() -> None:
    document = config(
        receivers=[SLACK, PAGER],
        default="ml",
        routes=[{"receiver": "pager", "severities": ["critical"], "labels": {"namespace": 'a"b'}}],
    )
    _, pager, last = document["route"]["routes"]
    assert pager["matchers"] == ['severity=~"critical"', 'namespace="a\\"b"'], "a quote would end the text"
    assert (last["receiver"], last["matchers"]) == ("none", ['severity=~"none|info"'])


def test_owners_get_the_alerts_of_their_objectives_in_addition() -> None:
    document = config(receivers=[SLACK, {**PAGER, "owners": ["search", "ads"]}], default="ml")
    route = document["route"]["routes"][1]
    assert route["matchers"][0] == 'owner=~"search|ads"'
    assert route["continue"] is True


@pytest.mark.parametrize(
    "owner", ['the "ml" team', "ml.search+ads", "a\\b", "search § Köln", "a|b (c)", "a\nb"]
)
def test_an_owner_is_matched_by_its_characters_alone(owner: str) -> None:
    document = config(receivers=[SLACK, {**PAGER, "owners": [owner]}], default="ml")
    matcher = document["route"]["routes"][1]["matchers"][0]
    name, quoted = matcher.split("=~", 1)
    # Alertmanager reads it as a Go string, and the expression by RE2.
    pattern = json.loads(quoted)
    assert name == "owner"
    assert re.fullmatch(pattern, owner)
    assert not re.fullmatch(pattern, "mlxsearch+ads")
    escaped = re.findall(r"\\(.)", pattern, re.DOTALL)
    assert all(character.isascii() and not character.isalnum() for character in escaped), "RE2 refuses others"


def test_a_critical_alert_inhibits_the_warning_of_the_same_name() -> None:
    first = config()["inhibit_rules"][0]
    assert first["source_matchers"] == ['severity="critical"']
    assert {"alertname", "namespace"} <= set(first["equal"])


def test_intervals_of_one_name_are_one_interval() -> None:
    document = config(
        receivers=[SLACK],
        default="ml",
        routes=[{"receiver": "ml", "severities": ["warning"], "mute": ["night"]}],
        mute_intervals=[NIGHT, {"name": "night", "end": "07:00"}],
    )
    (interval,) = document["time_intervals"]
    times = [entry["times"][0] for entry in interval["time_intervals"]]
    assert times == [
        {"start_time": "20:00", "end_time": "24:00"},
        {"start_time": "00:00", "end_time": "07:00"},
    ]
    assert document["route"]["routes"][1]["mute_time_intervals"] == ["night"]


def test_no_credential_is_in_the_configuration() -> None:
    email = {
        "to": ["ml@acme.example"],
        "sender": "alerts@acme.example",
        "host": "smtp.acme.example",
        "username": "alerts",
        "secret": "acme/mail",
    }
    document = config(
        receivers=[SLACK, PAGER, HOOK, {"name": "mail", "email": email}],
        default="ml",
        routes=[{"receiver": name} for name in ("pager", "heartbeat", "mail")],
    )
    keys = {
        key
        for receiver in document["receivers"]
        for integrations in receiver.values()
        if isinstance(integrations, list)
        for integration in integrations
        for key in integration
    }
    assert {"api_url_file", "routing_key_file", "url_file", "auth_password_file"} <= keys
    assert not keys & {"api_url", "routing_key", "url", "auth_password"}
    assert "acme/slack" not in str(document), "the name of a secret is of no use to Alertmanager"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"receivers": [{"name": "ml", "slack": {"channel": "#ml"}}], "default": "ml"},
            "receivers[0].slack.secret: missing",
        ),
        (
            {
                "receivers": [
                    {
                        "name": "ml",
                        "slack": {"channel": "#ml", "secret": "https://hooks.slack.com/services/T/B"},
                    }
                ],
                "default": "ml",
            },
            "receivers[0].slack.secret: got a value that is not shown, as it may be a secret",
        ),
        (
            {"receivers": [{"name": "p", "pagerduty": {"secret": "0a1b2c3d" * 4}}], "default": "p"},
            "receivers[0].pagerduty.secret: got 32 letters and digits, as an integration key has",
        ),
        ({"receivers": [{"name": "ml"}], "default": "ml"}, "receivers[0]: it has no integration"),
        ({"receivers": [SLACK, PAGER], "default": "ml"}, "receivers[1].name: got 'pager', to which nothing"),
        (
            {"receivers": [PAGER], "default": "pagr"},
            "default: got 'pagr', which is no receiver; expected one of pager, none; did you mean 'pager'?",
        ),
        ({"receivers": [SLACK]}, "default: missing"),
        (
            {"receivers": [SLACK], "default": "ml", "routes": [{"receiver": "pagr"}]},
            "routes[0].receiver: got 'pagr', which is no receiver",
        ),
        (
            {"receivers": [SLACK], "default": "ml", "heartbeat": "none"},
            "heartbeat: got 'none', which is no receiver",
        ),
        (
            {"receivers": [SLACK, SLACK], "default": "ml"},
            "receivers[1].name: got 'ml', which is also the name",
        ),
        (
            {"receivers": [SLACK], "default": "ml", "routes": [{"receiver": "ml", "mute": ["nigth"]}]},
            "routes[0].mute[0]: got 'nigth', which is no mute interval",
        ),
        (
            {"receivers": [SLACK], "default": "ml", "mute_intervals": [NIGHT]},
            "mute_intervals[0].name: got 'night', which no route names",
        ),
        (
            {"mute_intervals": [{"name": "night", "start": "20:00", "end": "06:00"}]},
            "mute_intervals[0].end: got '06:00', which is not after start",
        ),
        (
            {"mute_intervals": [{"name": "night", "location": "Europe/Berln"}]},
            "mute_intervals[0].location: got 'Europe/Berln', which is no IANA time zone; did you mean",
        ),
        (
            {"receivers": [SLACK], "default": "ml", "routes": [{"receiver": "ml", "labels": {"a-b": "c"}}]},
            "routes[0].labels.a-b: got 'a-b'",
        ),
        ({"receivers": [{**SLACK, "name": "none"}], "default": "none"}, "receivers[0].name: got 'none'"),
    ],
)
def test_what_alertmanager_could_not_do_is_refused(arguments: Any, expected: str) -> None:
    problems = refused(**arguments)
    assert any(problem.startswith(expected) for problem in problems), problems

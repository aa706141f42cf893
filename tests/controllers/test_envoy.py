"""The gateway's objects, translated by Envoy Gateway's own command, in a real Envoy with real backends."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.gateway import routes
from aiplatform.gateway.args import GatewayMirror
from tests.components.aiplatform.gateway.example import settings
from tests.controllers.envoy import AUDIENCE, ISSUER, Backend, Front, Tokens, front
from twin.kubernetes.envoy_gateway.translation import CONTROLLER
from twin.tests.waiting import eventually

TOKENS: Final = Tokens()
TEAMS: Final = {"vision": {}, "search": {"claims": ["search-users"]}}
AUTHENTICATION: Final = {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": TOKENS.jwks}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    backends = [
        Backend(name, team, number)
        for number, (name, team) in enumerate(
            [("blue", "vision"), ("green", "vision"), ("shadow", "vision"), ("chat", "search")], 1
        )
    ]
    configured = settings(
        authentication=AUTHENTICATION,
        teams=TEAMS,
        routes={
            "classifier": {
                "team": "vision",
                "backends": [{"service": "blue", "weight": 90}, {"service": "green", "weight": 10}],
                "mirror": {"service": "shadow"},
            },
            "chat": {"team": "search", "backends": [{"service": "chat"}], "callers": ["vision"]},
            "private": {"team": "search", "backends": [{"service": "chat"}]},
        },
    )
    with front(tmp_path_factory.mktemp("gateway"), configured, backends) as started:
        yield started


def test_a_request_without_a_valid_token_is_refused(gateway: Front) -> None:
    path = "/vision/classifier/v1/models"
    assert gateway.get(path).status == 401
    assert gateway.get(path, TOKENS.token("vision", seconds=-120)).status == 401, "expired"
    assert gateway.get(path, TOKENS.token("vision", audience="other")).status in (401, 403)
    assert gateway.get(path, TOKENS.token("vision", issuer="https://other.example")).status == 401
    assert gateway.get(path, Tokens().token("vision")).status == 401, "signed by another key"


def test_a_team_reaches_its_services_without_their_path(gateway: Front) -> None:
    answer = gateway.get("/vision/classifier/v1/models?all=1", TOKENS.token("vision"))
    assert answer.status == 200
    assert answer.body in ("blue /v1/models?all=1", "green /v1/models?all=1")


def test_the_route_of_another_team_is_forbidden_unless_it_lists_the_caller(gateway: Front) -> None:
    vision, search = TOKENS.token("vision"), TOKENS.token("search-users")
    assert gateway.get("/search/private/x", vision).status == 403
    assert gateway.get("/search/chat/x", vision).status == 200
    assert gateway.get("/search/private/x", search).status == 200
    assert gateway.get("/vision/classifier/x", search).status == 403
    assert gateway.get("/search/chats/x", vision).status == 404, "a path ends at a slash"


@pytest.mark.parametrize(
    "path", ["/search/chat/../private/x", "/search/chat/%2e%2e/private/x", "//search//private/x"]
)
def test_a_path_in_another_form_does_not_reach_another_service(gateway: Front, path: str) -> None:
    assert gateway.get(path, TOKENS.token("vision")).status in (400, 403)


def test_an_encoded_slash_is_refused(gateway: Front) -> None:
    assert gateway.get("/vision/classifier%2f..%2f..%2fsearch/private", TOKENS.token("vision")).status == 400


def test_weights_divide_requests(gateway: Front) -> None:
    token = TOKENS.token("vision")
    names = Counter(gateway.get("/vision/classifier/x", token).body.split()[0] for _ in range(200))
    assert set(names) == {"blue", "green"}
    # Of 200 at 10 percent: fewer than 5 or more than 45 is once in a million times.
    assert 5 <= names["green"] <= 45, names


def test_shadow_traffic_is_a_copy_whose_answer_nobody_gets(gateway: Front) -> None:
    shadow = gateway.backends[2]
    shadow.requests.clear()
    answer = gateway.get("/vision/classifier/copied", TOKENS.token("vision"))
    assert answer.body.split()[0] in ("blue", "green")
    eventually("the copy", lambda: shadow.requests == ["/copied"])


def test_metrics_count_errors_of_a_backend(gateway: Front) -> None:
    chat = gateway.backends[3]
    chat.status = 503
    try:
        assert gateway.get("/search/private/x", TOKENS.token("search-users")).status == 503
        labels = r'envoy_response_code_class="5",envoy_cluster_name="[^"]*private[^"]*"'
        series = rf"envoy_cluster_upstream_rq_xx\{{{labels}\}} 1"
        eventually("the metric", lambda: re.search(series, gateway.metrics()), 20)
    finally:
        chat.status = 200


def test_a_change_of_weights_is_in_effect_within_seconds(gateway: Front) -> None:
    [route] = [item for item in gateway.items["httproutes"] if item["metadata"]["name"] == "classifier"]
    references = route["spec"]["rules"][0]["backendRefs"]
    gateway.configure()  # the command is in the file cache
    token = TOKENS.token("vision")
    references[0]["weight"], references[1]["weight"] = 0, 100
    began = time.monotonic()
    gateway.configure()
    eventually(
        "green alone",
        lambda: {gateway.get("/vision/classifier/x", token).body.split()[0] for _ in range(20)} == {"green"},
    )
    took = time.monotonic() - began
    references[0]["weight"], references[1]["weight"] = 90, 10
    gateway.configure()
    # The command alone takes two to three seconds of CPU time, most of them for its definitions.
    assert took < 10, f"{took:.1f} s"


def _has(gateway: Front, series: str) -> bool:
    return re.search(series, gateway.metrics()) is not None


def test_versions_of_a_service_have_separate_metrics_and_so_have_copies(gateway: Front) -> None:
    """The names of clusters are those that rollouts ask for (containers/model_rollout)."""
    route = dict(
        routes.service_route(
            "fares",
            "vision",
            "vision",
            blue="blue",
            green="green",
            green_percent=50,
            mirror=GatewayMirror("shadow"),
        )
    )
    known = gateway.items["httproutes"]
    gateway.items["httproutes"] = [*known, route]
    gateway.configure()
    try:
        token = TOKENS.token("vision")
        eventually("the route", lambda: gateway.get("/vision/fares/x", token).status == 200)
        for _ in range(20):
            gateway.get("/vision/fares/x", token)
        for cluster in ("rule/0/backend/0", "rule/0/backend/1", "rule/0-mirror-1"):
            name = re.escape(f"httproute/vision/fares/{cluster}")
            for metric in ("upstream_rq_xx", "upstream_rq_time_bucket"):
                series = rf'envoy_cluster_{metric}\{{[^}}]*envoy_cluster_name="{name}"'
                eventually(f"{metric} of {cluster}", partial(_has, gateway, series), 20)
    finally:
        gateway.items["httproutes"] = known
        gateway.configure()


def test_the_status_is_that_of_envoy_gateway(gateway: Front) -> None:
    assert gateway.translation is not None
    status: Any = gateway.translation.status
    [listener] = status["gateways"][0]["status"]["listeners"]
    assert listener["attachedRoutes"] == 3
    for route in status["httproutes"]:
        [parent] = route["status"]["parents"]
        assert parent["controllerName"] == CONTROLLER
        assert {entry["type"]: entry["status"] for entry in parent["conditions"]}["Accepted"] == "True"
    for plural in ("securitypolicies", "backendtrafficpolicies", "clienttrafficpolicies"):
        [ancestor] = status[plural][0]["status"]["ancestors"]
        assert {entry["type"]: entry["status"] for entry in ancestor["conditions"]}["Accepted"] == "True", (
            plural
        )


def test_requests_above_the_limit_get_429(tmp_path: Path) -> None:
    limited = settings(
        hosts=["limited.acme.example"],
        authentication=AUTHENTICATION,
        teams=TEAMS,
        rate_limit={"requests": 3, "unit": "hour"},
        routes={"chat": {"team": "search", "backends": [{"service": "limited"}]}},
    )
    with front(tmp_path, limited, [Backend("limited", "search", 9)]) as gateway:
        token = TOKENS.token("search-users")
        answers = [gateway.get("/search/chat/x", token, host="limited.acme.example").status for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]

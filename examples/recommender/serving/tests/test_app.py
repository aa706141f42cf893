"""The routes, with a feature server and a predictor that answer as Feast and KServe do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from serving.app import create
from serving.clients import FEATURES

VARIABLES = {
    "FEATURE_SERVER_URL": "http://features/",
    "PREDICTOR_URL": "http://model/",
    "MODEL": "recommender",
}
VALUES = ("i1 i3", 2, 9.5, "books", 0.5)
Handler = Callable[[httpx.Request], httpx.Response]


def feast(values: Any = VALUES, status: str = "PRESENT") -> httpx.Response:
    results = [{"values": ["u1"], "statuses": ["PRESENT"]}]
    results += [{"values": [value], "statuses": [status]} for value in values]
    return httpx.Response(
        200, json={"metadata": {"feature_names": ["user_id", *FEATURES]}, "results": results}
    )


class Upstream:
    """Both servers. answers: host -> answer. requests: what they got."""

    def __init__(self, **answers: httpx.Response) -> None:
        scores = httpx.Response(
            200, json={"outputs": [{"data": [0.1, 0.9, 0.3, 0.8, 0.5]}]}, headers={"x-served-by": "blue"}
        )
        self.answers = {"features": feast(), "model": scores, **answers}
        self.requests: dict[str, httpx.Request] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests[request.url.host] = request
        return self.answers[request.url.host]

    def get(self, path: str, headers: Mapping[str, str] | None = None, **variables: str) -> httpx.Response:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        with TestClient(create(client, VARIABLES | variables)) as app:
            return app.get(path, headers=headers)


def test_best_items_without_the_recent_ones_are_the_answer() -> None:
    upstream = Upstream()
    answer = upstream.get("/recommendations/u1?k=2")
    assert answer.status_code == 200
    assert answer.json()["items"] == [{"item_id": 4, "score": 0.5}, {"item_id": 2, "score": 0.3}]
    assert answer.json()["served_by"] == "blue"
    assert json.loads(upstream.requests["features"].content)["entities"] == {"user_id": ["u1"]}
    asked = json.loads(upstream.requests["model"].content)
    assert asked["id"] == answer.json()["request_id"]
    assert {"name": "clicks", "shape": [1], "datatype": "INT64", "data": [2]} in asked["inputs"]
    assert str(upstream.requests["model"].url) == "http://model/v2/models/recommender/infer"


def test_the_token_of_the_user_goes_to_the_gateway_of_the_model_alone() -> None:
    upstream = Upstream()
    upstream.get("/recommendations/u1", {"Authorization": "Bearer t"}, PREDICTOR_HOST="models.acme.example")
    asked = upstream.requests["model"]
    assert asked.headers["authorization"] == "Bearer t"
    assert asked.headers["host"] == "models.acme.example"
    assert asked.extensions["sni_hostname"] == "models.acme.example", "the name in the certificate"
    assert "authorization" not in upstream.requests["features"].headers


def test_without_a_token_and_a_host_the_request_has_neither() -> None:
    upstream = Upstream()
    upstream.get("/recommendations/u1")
    asked = upstream.requests["model"]
    assert "authorization" not in asked.headers
    assert asked.headers["host"] == "model"


def test_a_user_without_features_is_a_new_one() -> None:
    upstream = Upstream(features=feast([None] * 5, "NOT_FOUND"))
    answer = upstream.get("/recommendations/u9?k=3").json()
    assert [item["item_id"] for item in answer["items"]] == [1, 3, 4]
    inputs = json.loads(upstream.requests["model"].content)["inputs"]
    assert {entry["name"]: entry["data"] for entry in inputs}["top_category"] == ["none"]


def test_equal_scores_are_in_the_order_of_items() -> None:
    same = httpx.Response(200, json={"outputs": [{"data": [0.5] * 6}]})
    answer = Upstream(model=same).get("/recommendations/u1?k=3").json()
    assert [item["item_id"] for item in answer["items"]] == [0, 2, 4]


@pytest.mark.parametrize(
    "path",
    [
        "/recommendations/u1?k=0",
        "/recommendations/u1?k=51",
        "/recommendations/u1?k=x",
        "/recommendations/a%20b",
    ],
)
def test_a_wrong_request_is_refused_before_a_server_is_called(path: str) -> None:
    upstream = Upstream()
    assert upstream.get(path).status_code == 400
    assert not upstream.requests


@pytest.mark.parametrize(
    "answers",
    [
        {"features": httpx.Response(500)},
        {"features": httpx.Response(200, json={"results": []})},
        {"model": httpx.Response(503)},
        {"model": httpx.Response(200, json={"error": "no model"})},
        {"model": httpx.Response(200, text="<html>")},
    ],
)
def test_a_server_that_fails_is_a_502_without_its_answer(answers: dict[str, httpx.Response]) -> None:
    answer = Upstream(**answers).get("/recommendations/u1")
    assert answer.status_code == 502
    assert "http://" not in answer.text


def test_it_is_healthy_without_its_servers() -> None:
    assert Upstream().get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_variable_ends_the_start(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        create(variables={key: value for key, value in VARIABLES.items() if key != name})

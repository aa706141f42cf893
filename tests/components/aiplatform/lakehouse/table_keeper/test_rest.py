"""What the table keeper asks of the catalog, and what it makes of the answers."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials

from aiplatform.lakehouse.table_keeper import rest


class Endpoint:
    """Answers in place of Glue, in turn."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.requests: list[Any] = []

    def send(self, request: Any) -> Any:
        self.requests.append(request)
        status, content = self.answers.pop(0)
        text = json.dumps(content) if content is not None else ""
        return SimpleNamespace(status_code=status, text=text, content=text.encode())


def catalog(
    monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, Any], credentials: Credentials | None = None
) -> tuple[rest.Catalog, Endpoint]:
    """A catalog with a prefix, and the endpoint that gives these answers."""
    endpoint = Endpoint((200, {"defaults": {"prefix": "catalogs/1"}}), *answers)
    client = SimpleNamespace(meta=SimpleNamespace(endpoint_url="https://glue.eu-central-1.amazonaws.com/"))
    session = SimpleNamespace(
        client=lambda _: client, get_credentials=lambda: credentials, region_name="eu-central-1"
    )
    monkeypatch.setattr(rest.boto3, "Session", lambda: session)
    monkeypatch.setattr(rest, "URLLib3Session", lambda timeout: endpoint)
    return rest.Catalog("111122223333"), endpoint


KEYS = Credentials("AKIAEXAMPLE", "secret")


def test_a_table_is_loaded_by_its_path_and_a_signed_request(monkeypatch: pytest.MonkeyPatch) -> None:
    client, endpoint = catalog(monkeypatch, (200, {"metadata": {"format-version": 2}}), credentials=KEYS)
    assert client.load("raw", "a/b") == {"format-version": 2}
    config, load = endpoint.requests
    base = "https://glue.eu-central-1.amazonaws.com/iceberg/v1"
    assert config.url == f"{base}/config?warehouse=111122223333"
    assert load.url == f"{base}/catalogs/1/namespaces/raw/tables/a%2Fb"
    assert load.method == "GET"
    signature = load.headers["Authorization"]
    assert "eu-central-1/glue/aws4_request" in (
        signature if isinstance(signature, str) else signature.decode()
    )


def test_a_commit_names_the_table_and_may_have_an_empty_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    client, endpoint = catalog(monkeypatch, (204, None), credentials=KEYS)
    client.commit("raw", "events", {"updates": []})
    sent = endpoint.requests[1]
    assert sent.method == "POST"
    assert json.loads(sent.body) == {"identifier": {"namespace": ["raw"], "name": "events"}, "updates": []}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (300, rest.CatalogError),
        (400, rest.CatalogError),
        (403, rest.LaterError),
        (404, rest.MissingError),
        (409, rest.LaterError),
        (429, rest.LaterError),
        (500, rest.LaterError),
    ],
)
def test_unsuccessful_answers_raise_the_matching_error(
    monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]
) -> None:
    client, _ = catalog(monkeypatch, (status, {"message": "no"}), credentials=KEYS)
    with pytest.raises(error) as raised:
        client.load("raw", "events")
    assert type(raised.value) is error
    assert str(raised.value).endswith(f'/namespaces/raw/tables/events: {status} {{"message": "no"}}')


def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(rest.CatalogError, match="there are no credentials"):
        catalog(monkeypatch)

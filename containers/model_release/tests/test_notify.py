"""Messages to the queue of a team."""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any

import boto3
import pytest
from moto import mock_aws

from model_release import __main__, notify
from model_release.errors import RefusedError
from model_release.names import Model

RANKER = Model("search", "ranker")


def test_message_names_the_promoted_version() -> None:
    assert json.loads(notify.message(RANKER, "7", "r1")) == {
        "rollout": {"model": "search/ranker", "version": "7", "request": "r1"}
    }


def test_message_arrives_in_a_queue_of_sqs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock_aws():
        client: Any = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
        queue = client.create_queue(QueueName="acme-search-training")["QueueUrl"]
        words = ["model_release", "notify", "--queue", queue, "--request", "r1", "search/ranker", "7"]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            __main__.main()
        output = capsys.readouterr()
        assert not end.value.code, output.err
        [received] = client.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(received["Body"])["rollout"]["version"] == "7"
    assert json.loads(output.out)["result"]["message"] == received["MessageId"]


def test_message_arrives_in_a_topic_of_pubsub(monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[tuple[str, Any]] = []

    class Answer:
        def raise_for_status(self) -> None: ...

        def json(self) -> Any:
            return {"messageIds": ["m1"]}

    class Session:
        def __init__(self, credentials: Any) -> None: ...

        def post(self, url: str, json: Any, timeout: int) -> Answer:
            posted.append((url, json))
            return Answer()

    import google.auth
    from google.auth.transport import requests

    monkeypatch.setattr(google.auth, "default", lambda scopes: (None, "acme"))
    monkeypatch.setattr(requests, "AuthorizedSession", Session)
    assert notify.send("projects/acme/topics/acme-search-training", "text") == "m1"
    [(url, body)] = posted
    assert url == "https://pubsub.googleapis.com/v1/projects/acme/topics/acme-search-training:publish"
    assert base64.b64decode(body["messages"][0]["data"]) == b"text"


@pytest.mark.parametrize("queue", ["acme", "projects/acme/subscriptions/x", "https://example.com/queue"])
def test_queue_of_another_form_is_refused(queue: str) -> None:
    with pytest.raises(RefusedError, match="expected the URL of a queue"):
        notify.send(queue, "text")

"""Messages of Pub/Sub: published, pulled, acknowledged, and read by principals with the permission."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp.api_servers import PROJECT, client, enable, refused

TOPIC = f"projects/{PROJECT}/topics/alerts"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/hold"
READER = f"serviceAccount:reader@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture
def google(server: ApiServer) -> ApiServer:
    enable(server, "pubsub", "iam")
    projects = client(server, "pubsub").projects()
    projects.topics().create(name=TOPIC, body={}).execute()
    body = {"topic": TOPIC, "ackDeadlineSeconds": 60}
    projects.subscriptions().create(name=SUBSCRIPTION, body=body).execute()
    return server


def publish(google: ApiServer, *texts: str) -> Any:
    messages = [
        {"data": base64.b64encode(text.encode()).decode(), "attributes": {"n": text}} for text in texts
    ]
    return client(google, "pubsub").projects().topics().publish(topic=TOPIC, body={"messages": messages})


def pull(google: ApiServer, most: int = 10, token: str | None = None) -> Any:
    subscriptions = client(google, "pubsub", token=token).projects().subscriptions()
    return subscriptions.pull(subscription=SUBSCRIPTION, body={"maxMessages": most})


def texts(answer: Any) -> list[str]:
    return [
        base64.b64decode(entry["message"]["data"]).decode() for entry in answer.get("receivedMessages", ())
    ]


def test_message_is_pulled_once_until_its_deadline_and_gone_when_acknowledged(google: ApiServer) -> None:
    assert len(publish(google, "a", "b").execute()["messageIds"]) == 2
    first = pull(google, most=1).execute()
    assert texts(first) == ["a"]
    [entry] = first["receivedMessages"]
    assert entry["message"]["attributes"] == {"n": "a"}
    assert texts(pull(google).execute()) == ["b"], "the first is still being handled"
    assert pull(google).execute() == {}
    subscriptions = client(google, "pubsub").projects().subscriptions()
    ids = {"ackIds": [entry["ackId"]]}
    subscriptions.modifyAckDeadline(
        subscription=SUBSCRIPTION, body={**ids, "ackDeadlineSeconds": 0}
    ).execute()
    [again] = pull(google).execute()["receivedMessages"]
    acknowledged = {"ackIds": [again["ackId"]]}
    subscriptions.acknowledge(subscription=SUBSCRIPTION, body=acknowledged).execute()
    changed = {**acknowledged, "ackDeadlineSeconds": 0}
    subscriptions.modifyAckDeadline(subscription=SUBSCRIPTION, body=changed).execute()
    assert pull(google).execute() == {}


def test_only_a_subscriber_pulls(google: ApiServer) -> None:
    publish(google, "a").execute()
    account = {"accountId": "reader"}
    accounts = client(google, "iam").projects().serviceAccounts()
    accounts.create(name=f"projects/{PROJECT}", body=account).execute()
    token = google.identity.token(READER)
    refusal = refused(pull(google, token=token))
    assert (refusal.code, "pubsub.subscriptions.consume" in refusal.message) == (403, True)
    policy = {"bindings": [{"role": "roles/pubsub.subscriber", "members": [READER]}]}
    subscriptions = client(google, "pubsub").projects().subscriptions()
    subscriptions.setIamPolicy(resource=SUBSCRIPTION, body={"policy": policy}).execute()
    assert texts(pull(google, token=token).execute()) == ["a"]


def test_empty_requests_are_refused(google: ApiServer) -> None:
    assert refused(publish(google)).status == "INVALID_ARGUMENT"
    assert refused(pull(google, most=0)).status == "INVALID_ARGUMENT"
    empty = client(google, "pubsub").projects().topics().publish(topic=TOPIC, body={"messages": [{}]})
    assert "must contain either non-empty data" in refused(empty).message
    absent = (
        client(google, "pubsub")
        .projects()
        .topics()
        .publish(topic=f"{TOPIC}-absent", body={"messages": [{"data": "YQ=="}]})
    )
    assert refused(absent).code == 404


def test_subscription_that_is_pushed_is_not_pulled(google: ApiServer) -> None:
    subscriptions = client(google, "pubsub").projects().subscriptions()
    body = {"topic": TOPIC, "pushConfig": {"pushEndpoint": "https://example.com"}}
    subscriptions.create(name=f"{SUBSCRIPTION}-pushed", body=body).execute()
    publish(google, "a").execute()
    request = subscriptions.pull(subscription=f"{SUBSCRIPTION}-pushed", body={"maxMessages": 1})
    assert refused(request).status == "FAILED_PRECONDITION"

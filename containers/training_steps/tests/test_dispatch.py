"""What messages start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import declared
from kubernetes.client import ApiException
from moto import mock_aws

from training_steps import __main__, dispatch, queues
from training_steps.declaration import Model
from training_steps.errors import RefusedError
from training_steps.queues import Message

MODELS = {"fares": Model.model_validate(declared())}


def of_team(message: Any, identifier: str = "m1", team: str = "pricing") -> list[dict[str, Any]]:
    return list(dispatch.of_team(json.dumps(message), identifier, MODELS, team, "s3://releases"))


def _parameters(body: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in body["spec"]["arguments"]["parameters"]}


def test_drift_starts_the_training_of_a_model() -> None:
    [body] = of_team({"train": {"model": "fares", "cause": "drift"}})
    assert body["spec"]["workflowTemplateRef"] == {"name": "train-fares"}
    assert _parameters(body) == {"cause": "drift"}
    assert body["metadata"]["labels"] == {"ai-platform/model": "fares", "ai-platform/cause": "drift"}


@pytest.mark.parametrize("table", ["curated.orders", "curated.customers"])
def test_commit_to_a_table_or_to_that_of_a_view_starts_a_training(table: str) -> None:
    [body] = of_team({"data": {"table": table}})
    assert _parameters(body) == {"cause": "data"}


def test_commit_to_another_table_starts_nothing() -> None:
    assert of_team({"data": {"table": "curated.trips"}}) == []


def test_promotion_starts_the_rollout_of_the_service() -> None:
    message = {"rollout": {"model": "pricing/fares", "version": "7", "request": "uid"}}
    [body] = of_team(message)
    assert body["spec"]["workflowTemplateRef"] == {"name": "rollout"}
    assert _parameters(body) == {
        "service": "fares",
        "model_uri": "s3://releases/pricing/fares/7",
        "weights": "10,50,100",
    }
    [again] = of_team(message, "m2")
    assert again["metadata"]["name"] == body["metadata"]["name"], "a message that is sent twice"


@pytest.mark.parametrize(
    "message",
    [
        {"train": {"model": "other"}},
        {"train": {"model": "fares", "cause": "Drift!"}},
        {"train": {"model": 1}},
        {"rollout": {"model": "search/fares", "version": "7", "request": "uid"}},
        {"rollout": {"model": "pricing/fares", "version": "7/../8", "request": "uid"}},
        {"promote": {"model": "fares", "version": "7"}},
        {"train": {}, "data": {}},
        [],
        "text",
    ],
)
def test_message_of_another_form_is_refused(message: Any) -> None:
    with pytest.raises(RefusedError):
        of_team(message)


def test_notification_of_cloud_storage_is_one_about_a_table() -> None:
    def content(name: str) -> Any:
        attributes = {"eventType": "OBJECT_FINALIZE", "objectId": name, "table": "curated.orders"}
        text = dispatch.content_of(Message("{}", "1", "h", attributes))
        return text and json.loads(text)

    assert content("tables/orders/metadata/3.metadata.json") == {"data": {"table": "curated.orders"}}
    assert content("tables/orders/metadata/snap-1.avro") is None, "written before the commit"


def test_request_of_a_team_promotes_its_own_models() -> None:
    text = json.dumps({"promote": {"model": "fares", "version": "7"}})
    body = dispatch.of_promotions(text, "m1", "pricing", "https://queue", waits=True)
    assert _parameters(body) == {"model": "pricing/fares", "version": "7", "queue": "https://queue"}
    assert body["spec"]["suspend"] is True
    assert body["metadata"]["annotations"] == {"ai-platform/approved-by": ""}
    assert "suspend" not in dispatch.of_promotions(text, "m1", "pricing", "", waits=False)["spec"]
    for wrong in ("search/fares", "../fares", ""):
        message = json.dumps({"promote": {"model": wrong, "version": "7"}})
        with pytest.raises(RefusedError):
            dispatch.of_promotions(message, "m1", "pricing", "", waits=True)


class Api:
    """Workflows of a cluster."""

    def __init__(self, *phases: str | None, status: int = 0) -> None:
        self.created: list[Any] = []
        self._items = [{"status": {"phase": phase}} if phase else {} for phase in phases]
        self._status = status

    def list_namespaced_custom_object(self, *_: Any, label_selector: str) -> Any:
        assert label_selector == "ai-platform/model=fares,ai-platform/cause=data"
        return {"items": self._items}

    def create_namespaced_custom_object(self, *path: Any) -> None:
        if self._status:
            raise ApiException(status=self._status)
        self.created.append(path)


@pytest.mark.parametrize(
    ("phases", "submitted"),
    [((), True), (("Running", "Succeeded"), True), (("Running", "Pending"), False), ((None,), False)],
)
def test_arrivals_while_a_training_waits_are_one_training(
    phases: tuple[str | None, ...], submitted: bool
) -> None:
    api = Api(*phases)
    [body] = of_team({"data": {"table": "curated.orders"}})
    assert dispatch.Workflows(api, "pricing").submit(body) == submitted
    assert len(api.created) == submitted


def test_workflow_that_exists_is_no_error_and_one_that_is_refused_is() -> None:
    [body] = of_team({"train": {"model": "fares"}})
    assert not dispatch.Workflows(Api(status=409), "pricing").submit(body)
    with pytest.raises(RefusedError):
        dispatch.Workflows(Api(status=403), "pricing").submit(body)
    with pytest.raises(ApiException):
        dispatch.Workflows(Api(status=500), "pricing").submit(body)


def test_message_is_deleted_once_it_is_handled_or_refused(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api()
    monkeypatch.setattr(__main__, "_kubernetes", lambda: api)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        client: Any = boto3.client("sqs")
        queue = client.create_queue(QueueName="training", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
        monkeypatch.setenv("QUEUE", queue)

        def count() -> str:
            attributes = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
            return str(attributes["ApproximateNumberOfMessages"])

        queues.send(queue, json.dumps({"train": {"model": "fares", "cause": "drift"}}))
        __main__.team_message()
        assert len(api.created) == 1
        assert count() == "0"
        __main__.team_message()
        assert len(api.created) == 1, "no message, no workflow"
        queues.send(queue, "no JSON")
        with pytest.raises(RefusedError):
            __main__.team_message()
        assert count() == "0", "it would come back for ever"
        queues.send(queue, json.dumps({"train": {"model": "fares"}}))
        monkeypatch.setattr(__main__, "_kubernetes", lambda: Api(status=500))
        with pytest.raises(ApiException):
            __main__.team_message()
        assert count() == "1", "it is handled again"

"""What is measured of a request and its answer, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from llm_logger.completions import Openings
from llm_logger.configuration import Logged
from llm_logger.exchange import BODY, COLUMNS, OF_SERVER, PAYLOAD, Budget, Exchange

PATH = "/search/chat/v1/chat/completions"
BODY_JSON = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}).encode()
ANSWER = json.dumps(
    {
        "choices": [{"index": 0, "message": {"content": "Hi there"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
).encode()


@dataclass
class Story:
    """A request with a clock. budget: of all requests."""

    logged: Logged
    budget: Budget = field(default_factory=Budget)
    now: float = 100.0

    def start(self, path: str = PATH, method: str = "POST", body: bytes = BODY_JSON) -> Exchange:
        """Return a request that is complete."""
        exchange = Exchange(self.logged, Openings(self.logged.refusals), self.budget, lambda: self.now)
        headers = {":method": method, ":path": path, "x-request-id": "4b1c9a52-0000-4000-8000-000000000000"}
        exchange.request_headers(headers, is_end=False)
        exchange.request_body(body[:20], is_end=False)
        exchange.request_body(body[20:], is_end=True)
        return exchange


@pytest.fixture
def story(logged: Logged) -> Story:
    return Story(logged)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _headers(status: int = 200, service: str = "chat-blue", **more: str) -> dict[str, str]:
    kind = {"content-type": "application/json", "x-served-by": service, ":status": str(status)}
    return {**kind, **{key.replace("_", "-"): value for key, value in more.items()}}


def test_complete_answer_is_measured_without_its_text(story: Story) -> None:
    exchange = story.start()
    story.now += 0.25
    exchange.response_headers(_headers(), OF_SERVER, is_end=False)
    story.now += 0.25
    exchange.response_body(ANSWER[:10], is_end=False)
    story.now += 0.5
    exchange.response_body(ANSWER[10:], is_end=True)
    record = exchange.finish()
    assert record is not None
    assert record.inference_service == "chat-blue"
    assert tuple(record.values) == COLUMNS
    assert record.values == {
        "status": "200",
        "prompt_characters": 5,
        "answer_characters": 8,
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "finish_reason": "stop",
        "refusal": "no",
        "first_byte_ms": 500,
        "latency_ms": 1000,
    }
    assert story.budget.used == 0


def test_stream_is_measured_and_not_kept(story: Story) -> None:
    exchange = story.start()
    exchange.response_headers(
        _headers(content_type="text/event-stream; charset=utf-8"), OF_SERVER, is_end=False
    )
    event = {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}
    for _ in range(5000):
        story.now += 0.01
        exchange.response_body(f"data: {json.dumps(event)}\n\n".encode(), is_end=False)
        assert story.budget.used == 0, "events of a stream are read at once"
    exchange.response_body(b"data: [DONE]\n\n", is_end=True)
    record = exchange.finish()
    assert record is not None
    assert record.values["answer_characters"] == 25_000
    assert record.values["first_byte_ms"] == 10
    assert record.values["latency_ms"] == 50_000
    assert record.values["prompt_tokens"] is None


def test_text_is_stored_where_the_service_states_it(story: Story) -> None:
    exchange = story.start()
    exchange.response_headers(_headers(service="open-green"), OF_SERVER, is_end=False)
    exchange.response_body(ANSWER, is_end=True)
    record = exchange.finish()
    assert record is not None
    assert (record.values["prompt"], record.values["answer"]) == ("Hello", "Hi there")


def test_text_of_a_record_has_a_limit(story: Story) -> None:
    text = "x" * (PAYLOAD + 100)
    exchange = story.start(body=json.dumps({"prompt": text}).encode())
    exchange.response_headers(_headers(service="open-blue"), OF_SERVER, is_end=False)
    exchange.response_body(json.dumps({"choices": [{"text": text}]}).encode(), is_end=True)
    record = exchange.finish()
    assert record is not None
    assert record.values["prompt"] == record.values["answer"] == "x" * PAYLOAD
    assert record.values["prompt_characters"] == record.values["answer_characters"] == PAYLOAD + 100


def test_error_of_the_server_has_a_status_and_no_answer(story: Story) -> None:
    exchange = story.start()
    exchange.response_headers(_headers(500), OF_SERVER, is_end=False)
    exchange.response_body(b'{"error": {"message": "out of memory"}}', is_end=True)
    record = exchange.finish()
    assert record is not None
    assert _known(record.values) == {
        "status": "500",
        "prompt_characters": 5,
        "first_byte_ms": 0,
        "latency_ms": 0,
    }


def test_client_that_goes_away_is_an_aborted_answer(story: Story) -> None:
    exchange = story.start()
    exchange.response_headers(_headers(content_type="text/event-stream"), OF_SERVER, is_end=False)
    exchange.response_body(b'data: {"choices": [{"delta": {"content": "I cannot help"}}]}\n\n', is_end=False)
    record = exchange.finish()
    assert record is not None
    assert (record.values["finish_reason"], record.values["refusal"]) == ("aborted", "phrase")
    assert record.values["answer_characters"] is None, "its length is not known"


@pytest.mark.parametrize(
    ("path", "method", "service"),
    [
        ("/search/chat/v1/models", "POST", "chat-blue"),
        (PATH, "GET", "chat-blue"),
        (PATH, "POST", ""),
        (PATH, "POST", "other-blue"),
        (PATH, "POST", "chat"),
    ],
)
def test_other_requests_are_not_logged(story: Story, path: str, method: str, service: str) -> None:
    exchange = story.start(path, method)
    exchange.response_headers(_headers(service=service), OF_SERVER, is_end=False)
    exchange.response_body(ANSWER, is_end=True)
    assert exchange.finish() is None
    assert story.budget.used == 0


@pytest.mark.parametrize("details", ["rbac_access_denied_matched_policy[none]", "response_timeout", ""])
def test_answer_of_the_gateway_is_not_logged(story: Story, details: str) -> None:
    exchange = story.start()
    exchange.response_headers(_headers(403), details, is_end=False)
    exchange.response_body(b"denied", is_end=True)
    assert exchange.finish() is None


def test_request_without_an_answer_is_not_logged(story: Story) -> None:
    assert story.start().finish() is None


def test_body_above_the_limit_is_not_kept_and_the_request_is_logged(story: Story) -> None:
    exchange = story.start(body=b'{"prompt": "' + b"x" * BODY + b'"}')
    exchange.response_headers(_headers(), OF_SERVER, is_end=False)
    for _ in range(3):
        exchange.response_body(b"x" * BODY, is_end=False)
        assert story.budget.used <= BODY
    exchange.response_body(b"", is_end=True)
    record = exchange.finish()
    assert record is not None
    assert _known(record.values) == {"status": "200", "first_byte_ms": 0, "latency_ms": 0}


def test_all_requests_together_keep_no_more_than_the_budget(logged: Logged) -> None:
    story = Story(logged, Budget(100))
    first, second = story.start(), story.start()
    for exchange in (first, second):
        exchange.response_headers(_headers(), OF_SERVER, is_end=False)
        exchange.response_body(ANSWER[:60], is_end=False)
    assert story.budget.used == 60, "the second one is not kept"
    assert second.finish() is not None
    assert first.finish() is not None
    assert story.budget.used == 0


def test_compressed_answer_is_not_read(story: Story) -> None:
    exchange = story.start()
    exchange.response_headers(_headers(content_encoding="gzip"), OF_SERVER, is_end=False)
    exchange.response_body(b"\x1f\x8b", is_end=True)
    record = exchange.finish()
    assert record is not None
    assert record.values["answer_characters"] is None
    assert record.values["prompt_characters"] == 5

"""What is read of prompts and answers, in the forms of vLLM."""

from __future__ import annotations

import json

import pytest

from llm_logger.completions import Answer, Events, Openings, is_logged, prompt

USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def _chunk(content: str | None = None, finish: str | None = None, **rest: object) -> dict[str, object]:
    delta = {} if content is None else {"content": content}
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **rest,
    }


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/search/chat/v1/chat/completions", True),
        ("/search/chat/v1/completions?x=1", True),
        ("/search/chat/v1/models", False),
        ("/search/chat/v1/embeddings", False),
        ("/v1/chat/completions/more", False),
    ],
)
def test_only_completions_are_logged(path: str, logged: bool) -> None:
    assert is_logged(path) is logged


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
            "Be brief.\nHi",
        ),
        (
            {
                "messages": [
                    {
                        "content": [
                            {"type": "text", "text": "What is it?"},
                            {"type": "image_url", "image_url": {}},
                        ]
                    }
                ]
            },
            "What is it?",
        ),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": []}]}, ""),
        ({"prompt": "Once"}, "Once"),
        ({"prompt": ["a", "b"]}, "a\nb"),
        ({"prompt": [1, 2, 3]}, None),
        ({"messages": "none"}, None),
        ([1], None),
    ],
)
def test_prompt_is_the_text_of_all_messages(body: object, text: str | None) -> None:
    assert prompt(json.dumps(body).encode()) == text


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_body_that_is_no_json_has_no_prompt(body: bytes) -> None:
    assert prompt(body) is None


def test_answer_states_length_tokens_and_its_end() -> None:
    answer = Answer()
    choices = [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "finish_reason": "stop",
        }
    ]
    answer.add({"choices": choices, "usage": USAGE})
    assert (answer.characters, answer.prompt_tokens, answer.completion_tokens) == (5, 9, 4)
    assert (answer.finish_reason, answer.refusal(Openings(["I'm sorry"])), answer.text()) == (
        "stop",
        "no",
        "Hello",
    )


def test_stream_is_the_sum_of_its_events_however_it_is_cut() -> None:
    events = [_chunk("", role="assistant"), _chunk("Hé"), _chunk("llo"), _chunk(None, "length")]
    events.append({"choices": [], "usage": USAGE})
    body = "".join(f"data: {json.dumps(event, ensure_ascii=False)}\r\n\r\n" for event in events).encode()
    body += b": comment\n\ndata: [DONE]\n\n"
    for size in (1, 2, 7, 64, len(body)):
        reader, answer = Events(1 << 20), Answer()
        for start in range(0, len(body), size):
            for content in reader.add(body[start : start + size]):
                answer.add(content)
        for content in reader.end():
            answer.add(content)
        assert (answer.text(), answer.characters, answer.finish_reason) == ("Héllo", 5, "length"), size
        assert (answer.prompt_tokens, answer.completion_tokens) == (9, 4), size


def test_stream_without_usage_has_no_tokens() -> None:
    answer = Answer()
    answer.add(_chunk("x", "stop"))
    assert (answer.prompt_tokens, answer.completion_tokens, answer.is_read) == (None, None, True)


def test_event_above_the_limit_is_left_out_and_the_next_one_is_read() -> None:
    reader = Events(100)
    assert reader.add(b"data: " + b"x" * 500) == []
    assert reader.add(b"x" * 500) == []
    assert reader.add(b'x\ndata: {"a": 1}\n') == [{"a": 1}]


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (_chunk("I\u2019m sorry, but  I can't do that", "stop"), "phrase"),
        (_chunk("**I cannot help** with it", "stop"), "phrase"),
        (_chunk("They said: I cannot help", "stop"), "no"),
        (_chunk("", "content_filter"), "filtered"),
        ({"choices": [{"index": 0, "delta": {"refusal": "No."}, "finish_reason": "stop"}]}, "stated"),
        ({"choices": [{"index": 0, "text": "I cannot help.", "finish_reason": "stop"}]}, "phrase"),
    ],
)
def test_refusal_is_stated_filtered_or_an_opening(event: object, refusal: str) -> None:
    answer = Answer()
    answer.add(event)
    assert answer.refusal(Openings(["I'm sorry, but I can", "I cannot help"])) == refusal


def test_choices_are_separate_texts_and_one_filtered_choice_counts() -> None:
    answer = Answer()
    for index, text, finish in ((0, "Yes", "stop"), (1, "I cannot ", None), (1, "help", "content_filter")):
        answer.add({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]})
    assert (answer.text(), answer.characters, answer.finish_reason) == (
        "Yes\nI cannot help",
        16,
        "content_filter",
    )


def test_text_beyond_what_is_kept_is_counted() -> None:
    answer = Answer(most=10)
    for _ in range(50):
        answer.add(_chunk("word "))
    assert (answer.characters, answer.text()) == (250, "word word ")


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"choices": None},
        {"choices": [None, 3]},
        {"choices": [{"delta": 4}]},
        {"usage": {"prompt_tokens": "9"}},
    ],
)
def test_other_forms_are_no_error(content: object) -> None:
    answer = Answer()
    answer.add(content)
    assert (answer.characters, answer.prompt_tokens) == (0, None)

"""What requests and answers of OpenAI's API state, as vLLM serves it. Pure.

Answers are one JSON object, or a stream of server-sent events, each of which has a part of it. An answer has
several choices where the request states `n`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ROUTES: Final = ("/v1/chat/completions", "/v1/completions")
"""Endings of the paths that are logged."""
REFUSED_NO: Final = "no"
REFUSED_STATED: Final = "stated"
"""The answer has the field `refusal`."""
REFUSED_FILTERED: Final = "filtered"
"""It ended by `content_filter`."""
REFUSED_PHRASE: Final = "phrase"
"""It begins with one of the configured openings."""
FILTERED: Final = "content_filter"
OPENING: Final = 200
"""Characters of an answer in which an opening is looked for."""


def is_logged(path: str) -> bool:
    """Whether requests to a path are logged."""
    return path.partition("?")[0].rstrip("/").endswith(ROUTES)


def prompt(body: bytes) -> str | None:
    """Return the text of a request's prompt: all messages, in order. None for a body that has none, such as
    token numbers."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    messages = content.get("messages")
    if isinstance(messages, list):
        return "\n".join(_text(message.get("content")) for message in messages if isinstance(message, dict))
    stated = content.get("prompt")
    if isinstance(stated, str):
        return stated
    if isinstance(stated, list) and stated and all(isinstance(entry, str) for entry in stated):
        return "\n".join(stated)
    return None


def _text(content: Any) -> str:
    """Return the text of a message, which is a string or parts of several kinds."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(text for text in texts if isinstance(text, str))
    return ""


def _plain(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").lower().split())


class Openings:
    """Openings of answers that are refusals. Case, spaces and the form of apostrophes do not count."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = tuple(_plain(phrase) for phrase in phrases)

    def match(self, text: str) -> bool:
        """Whether a text begins with one."""
        return bool(self._phrases) and _plain(text).lstrip("\"'*#> ").startswith(self._phrases)


@dataclass
class Answer:
    """What was read of an answer. most: characters of its text that are kept; all are counted."""

    most: int = OPENING
    characters: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: str | None = None
    stated_refusal: bool = False
    is_read: bool = False
    """Whether it had the form of an answer."""
    _kept: dict[int, list[str]] = field(default_factory=dict)
    _size: int = 0

    def add(self, content: Any) -> None:
        """Add an answer, or an event of a stream."""
        if not isinstance(content, dict):
            return
        usage = content.get("usage")
        if isinstance(usage, dict):
            self.prompt_tokens = _count(usage.get("prompt_tokens"), self.prompt_tokens)
            self.completion_tokens = _count(usage.get("completion_tokens"), self.completion_tokens)
        choices = content.get("choices")
        if not isinstance(choices, list):
            return
        self.is_read = True
        for choice in choices:
            if isinstance(choice, dict):
                self._choice(choice)

    def _choice(self, choice: Mapping[str, Any]) -> None:
        message = choice.get("message") or choice.get("delta")
        parts = message if isinstance(message, dict) else {"content": choice.get("text")}
        index = choice.get("index")
        if isinstance(text := parts.get("content"), str):
            self._text(index if isinstance(index, int) else 0, text)
        if isinstance(refusal := parts.get("refusal"), str) and refusal:
            self.stated_refusal = True
            self._text(index if isinstance(index, int) else 0, refusal)
        reason = choice.get("finish_reason")
        # That of the first choice, unless another one was filtered.
        if isinstance(reason, str) and (self.finish_reason is None or reason == FILTERED):
            self.finish_reason = reason[:40]

    def _text(self, index: int, text: str) -> None:
        self.characters += len(text)
        kept = text[: max(0, self.most - self._size)]
        if kept:
            self._kept.setdefault(index, []).append(kept)
            self._size += len(kept)

    def text(self) -> str:
        """Return the first characters of the text; choices one after the other."""
        return "\n".join("".join(parts) for _, parts in sorted(self._kept.items()))

    def refusal(self, openings: Openings) -> str:
        """Return whether it is a refusal, and by what."""
        if self.stated_refusal:
            return REFUSED_STATED
        if self.finish_reason == FILTERED:
            return REFUSED_FILTERED
        if any(openings.match("".join(parts)[:OPENING]) for parts in self._kept.values()):
            return REFUSED_PHRASE
        return REFUSED_NO


def _count(value: Any, before: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else before


class Events:
    """The events of a stream, from its chunks. most: bytes of an event; a longer one is left out."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self._is_skipping = False

    def add(self, chunk: bytes) -> list[Any]:
        """Return the contents of the events that end in a chunk."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        contents = []
        for line in lines:
            if self._is_skipping:
                self._is_skipping = False
                continue
            if (content := _event(line)) is not None:
                contents.append(content)
        if self._is_skipping or len(rest) > self._most:
            self._is_skipping, rest = True, b""
        self._rest = rest
        return contents

    def end(self) -> list[Any]:
        """Return the content of an event whose line does not end."""
        content = None if self._is_skipping else _event(self._rest)
        self._rest = b""
        return [] if content is None else [content]


def _event(line: bytes) -> Any | None:
    if not line.startswith(b"data:"):
        return None
    try:
        return json.loads(line[5:])
    except (ValueError, RecursionError):
        return None  # `[DONE]`

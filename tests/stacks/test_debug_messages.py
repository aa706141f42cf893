"""What the SDK sends to the engine of its debug messages."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import log

from stacks import debug_messages


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that the engine gets; what a test changes is undone."""
    messages: list[str] = []

    class Engine:
        def Log(self, request: Any) -> None:  # noqa: N802 - the name in the protocol
            messages.append(request.message)

    monkeypatch.setattr(log, "debug", log.debug)
    monkeypatch.setattr(log, "get_engine", Engine)
    monkeypatch.delenv(debug_messages.VARIABLE, raising=False)
    return messages


def test_the_sdk_sends_them_by_itself(sent: list[str]) -> None:
    log.debug("preparing a resource")
    assert sent == ["preparing a resource"], "otherwise the module has no purpose any more"


def test_debug_messages_are_left_out_and_others_are_sent(sent: list[str]) -> None:
    debug_messages.leave_out()
    log.debug("preparing a resource", stream_id=1)
    log.warn("a warning")
    assert sent == ["a warning"]


def test_debug_messages_are_sent_where_the_variable_is_set(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(debug_messages.VARIABLE, "1")
    debug_messages.leave_out()
    log.debug("preparing a resource")
    assert sent == ["preparing a resource"]

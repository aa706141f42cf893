"""What the SDK records of where a resource is declared."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import resource

from stacks import stack_traces

RECORD = "_get_stack_trace"


class _Resource:
    """Calls the SDK as pulumi.Resource does: from the third constructor that a declaration runs."""

    def __init__(self) -> None:
        self.trace: Any = getattr(resource, RECORD)()


class _CustomResource(_Resource):
    def __init__(self) -> None:
        super().__init__()


class _Bucket(_CustomResource):
    def __init__(self) -> None:
        super().__init__()


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what a test changes."""
    monkeypatch.setattr(resource, RECORD, getattr(resource, RECORD))


def _frames() -> list[str]:
    return [frame.pc.uri for frame in _Bucket().trace.frames]


def test_the_sdk_records_all_frames_by_itself() -> None:
    assert len(_frames()) > 1, "otherwise the module has no purpose any more"


def test_the_state_has_the_line_that_declares_a_resource_and_no_other() -> None:
    stack_traces.shorten()
    [frame] = _frames()
    assert frame.endswith("test_stack_traces.py"), "the engine shows it with an error"


def test_another_version_of_the_sdk_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(resource, RECORD)
    stack_traces.shorten()
    assert not hasattr(resource, RECORD)

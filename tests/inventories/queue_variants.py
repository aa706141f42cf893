"""The variants of the queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.queues import Queues
from tests.components.aiplatform.queues import example
from tests.components.recording import Recording, record


def _queues(arguments: Any) -> Callable[[], Recording]:
    return lambda: record(lambda: Queues("queues", arguments))


QUEUES: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _queues(example.arguments()),
    "gcp-full": _queues(example.everything()),
}

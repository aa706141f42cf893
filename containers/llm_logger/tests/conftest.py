"""A bucket in memory, and a configuration."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from llm_logger.configuration import Logged

REFUSALS = ["I'm sorry, but I can", "I cannot help"]


class Bucket:
    """A bucket. failures: writes that fail before one succeeds."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failures = 0

    def write(self, key: str, data: bytes) -> None:
        """Create an object."""
        if self.failures:
            self.failures -= 1
            raise OSError("slow down")
        assert key not in self.objects
        self.objects[key] = data

    def records(self) -> list[dict[str, Any]]:
        """Return all records, with what was measured as `values`."""
        entries = [entry for data in self.objects.values() for entry in json.loads(data)]
        for entry in entries:
            [entry["values"]] = json.loads(base64.b64decode(entry["bytes"]))["instances"]
        return entries


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def logged() -> Logged:
    services = {"chat": {"batch_size": 3, "batch_seconds": 10}, "open": {"payloads": True}}
    return Logged.model_validate({"services": services, "refusals": REFUSALS})

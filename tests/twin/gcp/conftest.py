"""A new Google Cloud for a test, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.gcp import fronts
from twin.gcp.front import Front


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A world's Google with nothing in it."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    made = fronts.make()
    yield made
    made.close()


@pytest.fixture
def google(front: Front) -> Front:
    """The same, with the services enabled that the tests use."""
    fronts.enable(
        front, "compute", "cloudkms", "servicenetworking", "dns", "logging", "storage", "binaryauthorization"
    )
    return front

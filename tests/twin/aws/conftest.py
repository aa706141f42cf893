"""Fronts for the tests of the AWS twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.aws.fronts import Clients, opened


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """boto3 clients of a front of the module's own."""
    with opened(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for worlds that lasts one test."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    return tmp_path

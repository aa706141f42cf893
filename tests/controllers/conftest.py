"""The tier with real controllers: a cluster for the whole run, in a separate folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controllers.cluster import Cluster, created


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests here. Warnings are not errors: other projects' clients run in these tests."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.controllers)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(1800))
            item.add_marker(pytest.mark.filterwarnings("default", "ignore::DeprecationWarning"))


@pytest.fixture(scope="session")
def cluster(home: Path) -> Iterator[Cluster]:
    """Four nodes of 8 GPUs, with Kueue and JobSet. Tests delete the namespaces and queues that they use."""
    yield from created(home, "controllers")

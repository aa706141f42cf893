"""Twins of the end-to-end tests: in a separate folder, so that they do not touch the user's twins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.reduced import KUBERNETES_LAYER


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings are not errors here: clients of other projects run in these tests, in users' versions."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("default", "ignore::DeprecationWarning"))


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[Twin]:
    """The twin of aws-dev, before its first `up`."""
    twin = Twin("aws-dev", home, checkpoints=False)
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def prod(home: Path) -> Iterator[Twin]:
    """The twin of aws-prod, before its first `up`; test_whole_environments.py has it with all layers."""
    twin = Twin("aws-prod", home, without=KUBERNETES_LAYER, checkpoints=False)
    yield twin
    twin.remove()


@pytest.fixture(scope="session")
def plain(home: Path) -> Iterator[Plain]:
    """A twin on AWS for programs that tests define."""
    table = Path(__file__).parent / "pod_images" / "team" / "images.toml"
    twin = Plain(home, images=table.read_text())
    yield twin
    twin.remove()


@pytest.fixture(scope="session")
def base(plain: Plain) -> Iterator[Base]:
    """A network and a cluster in it."""
    yield plain.base()
    plain.end()

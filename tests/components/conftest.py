"""For the tests of components."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.components.plugin_process import Served, started


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """An event loop for outputs that a test makes outside of its program: a recorded program leaves none."""
    resource = asyncio.new_event_loop()
    asyncio.set_event_loop(resource)
    yield
    asyncio.set_event_loop(None)
    resource.close()


@pytest.fixture(scope="session")
def plugin() -> Iterator[Served]:
    """The running plugin. Its start takes seconds of CPU: it imports the SDKs."""
    with started() as served:
        yield served

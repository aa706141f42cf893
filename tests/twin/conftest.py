"""A provider over the fake cloud, spoken to by gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.fake_cloud import Backend, FakeCloud
from tests.twin.provider_client import Client, Provided
from twin.core.serving import start
from twin.provider import Provider
from twin.resource import CANCELLED
from twin.store import Store


@pytest.fixture
def provided(tmp_path: Path) -> Iterator[Provided]:
    """A configured provider, with the cloud and the store behind it."""
    CANCELLED.clear()
    backend = Backend(tmp_path / "cloud.db")
    cloud, store = FakeCloud(backend), Store(tmp_path / "store.db")
    server, port = start(Provider(cloud, store))
    client = Client(port)
    client.configure(region="us-west-2")
    yield Provided(backend, store, client)
    client.close()
    server.stop(None)
    CANCELLED.clear()

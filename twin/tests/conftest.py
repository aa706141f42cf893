"""For all tests of the twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from twin.core.serving import start
from twin.provider import Provider
from twin.provider_interface import CANCELLED
from twin.store import Store
from twin.tests.fake_cloud import Backend, FakeCloud
from twin.tests.provider_client import Client, Provided

# How long an example takes says more about what else the machine does than about the example.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """AIPLATFORM_HOME of a run of tests that use twins: the user's are not touched."""
    folder = tmp_path_factory.mktemp("twins")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(folder))
        yield folder


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

"""A new Google Cloud for a test, in this process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.gcp.resources import long_running_operations
from twin.tests.gcp import api_servers
from twin.tests.gcp.resources import life


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """An instance's Google with nothing in it."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    server = api_servers.make()
    yield server
    server.close()


SERVICES = (
    *("iam", "cloudresourcemanager", "compute", "cloudkms", "servicenetworking", "dns"),
    *("logging", "storage", "binaryauthorization"),
)
DATA = (
    *(
        "bigquery",
        "bigqueryconnection",
        "bigquerydatapolicy",
        "biglake",
    ),
    *("sqladmin", "secretmanager", "artifactregistry", "pubsub", "dataplex", "firestore", "bigtableadmin"),
    *("accesscontextmanager", "dataproc", "cloudscheduler", "redis"),
)


@pytest.fixture
def google(server: ApiServer) -> ApiServer:
    """The same, with the services enabled that the tests use."""
    api_servers.enable(server, *SERVICES)
    return server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """One Google for what a module's tests are refused: services enabled, the network `net` made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        server = api_servers.make()
        api_servers.enable(server, *SERVICES)
        api_servers.network(server)
        yield server
        server.close()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider asks for an operation again at once: what these operations wait for is there by then."""
    monkeypatch.setattr(long_running_operations, "growing_pauses", lambda: itertools.repeat(0.001))


@pytest.fixture
def gcp(google: ApiServer) -> GcpContext:
    """A provider with one default label, services enabled."""
    return life.context(google)


@pytest.fixture(scope="module")
def shared_data(shared: ApiServer) -> GcpContext:
    """One Google for what a module's tests are refused, with all of these services and the network `net`."""
    api_servers.enable(shared, *DATA)
    return life.context(shared)


@pytest.fixture
def data(google: ApiServer) -> GcpContext:
    """The same, with the services of the data side too."""
    api_servers.enable(google, *DATA)
    return life.context(google)

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


SERVICES = (
    *("iam", "cloudresourcemanager", "compute", "cloudkms", "servicenetworking", "dns"),
    *("logging", "storage", "binaryauthorization"),
)
DATA = (
    *(
        "bigquery",
        "bigqueryconnection",
        "bigqueryreservation",
        "bigquerydatapolicy",
        "biglake",
        "datacatalog",
    ),
    *("sqladmin", "secretmanager", "artifactregistry", "pubsub", "dataplex", "firestore", "bigtableadmin"),
    *("accesscontextmanager", "dataproc", "cloudscheduler", "redis"),
)


@pytest.fixture
def google(front: Front) -> Front:
    """The same, with the services enabled that the tests use."""
    fronts.enable(front, *SERVICES)
    return front


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One Google for what a module's tests are refused: services enabled, the network `net` made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        made = fronts.make()
        fronts.enable(made, *SERVICES)
        fronts.network(made)
        yield made
        made.close()

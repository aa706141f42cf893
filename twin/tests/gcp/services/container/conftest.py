"""Google Cloud with all that a cluster needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from twin.tests.gcp import api_servers
from twin.tests.gcp.services.container import scene
from twin.tests.gcp.services.container.scene import Gke


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a prepared instance, and one with a cluster that runs, to be copied."""
    folder = tmp_path_factory.mktemp("homes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(folder / "prepared"))
        server = api_servers.make()
        scene.prepare(server)
        server.close()
    shutil.copytree(folder / "prepared", folder / "running")
    with _opened(folder / "running") as opened:
        opened.running(networkConfig={"enableMultiNetworking": True})
    return folder


@contextmanager
def _opened(home: Path) -> Iterator[Gke]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(home))
        server = api_servers.make()
        yield Gke(server)
        server.close()


@contextmanager
def _copied(homes: Path, kind: str, target: Path) -> Iterator[Gke]:
    shutil.copytree(homes / kind, target / "home")
    with _opened(target / "home") as opened:
        yield opened


@pytest.fixture(scope="module")
def prepared(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gke]:
    """A network and an account, and no cluster: for what is refused."""
    with _copied(homes, "prepared", tmp_path_factory.mktemp("prepared")) as opened:
        yield opened


@pytest.fixture(scope="module")
def running(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gke]:
    """A cluster that runs, for tests that leave it as it was."""
    with _copied(homes, "running", tmp_path_factory.mktemp("running")) as opened:
        yield opened


@pytest.fixture
def gke(homes: Path, tmp_path: Path) -> Iterator[Gke]:
    """A network and an account of the test's own."""
    with _copied(homes, "prepared", tmp_path) as opened:
        yield opened


@pytest.fixture
def cluster(homes: Path, tmp_path: Path) -> Iterator[Gke]:
    """A cluster of the test's own, that runs."""
    with _copied(homes, "running", tmp_path) as opened:
        yield opened

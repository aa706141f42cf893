"""Google Cloud with all that a cluster needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.gcp import fronts
from tests.twin.gcp.gke import scene
from tests.twin.gcp.gke.scene import Gke


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gke]:
    """A network and an account, and no cluster: for what is refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        front = fronts.make()
        scene.prepare(front)
        yield Gke(front)
        front.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gke]:
    """A cluster that runs, for tests that leave it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        front = fronts.make()
        scene.prepare(front)
        made = Gke(front)
        made.running(networkConfig={"enableMultiNetworking": True})
        yield made
        front.close()


@pytest.fixture
def gke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gke]:
    """A network and an account of the test's own."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    front = fronts.make()
    scene.prepare(front)
    yield Gke(front)
    front.close()

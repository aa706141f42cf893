"""A file that `aiplatform new` has written is previewed on the twin of each cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.end_to_end.copies import copy_repository
from tests.end_to_end.harness import Twin

pytestmark = pytest.mark.end_to_end

PLACES = {
    "aws-lab": ("--account", "111122223333", "--region", "us-west-2", "--accelerators", "l4,h100:8"),
    "gcp-lab": ("--project", "acme-ml-lab", "--region", "us-east1", "--accelerators", "l4,tpu-v6e"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository."""
    return copy_repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(params=PLACES)
def twin(home: Path, root: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of a new environment, which the preview starts."""
    twin = Twin(request.param, home, root=root)
    yield twin
    twin.remove()


def new(twin: Twin, places: Sequence[str]) -> str:
    """Write the environment file; return what the command prints."""
    return twin.cli(
        "new",
        twin.environment,
        *("--cloud", twin.environment.partition("-")[0], "--profile", "dev", "--org", "acme"),
        *("--owner", "jo@acme.example", "--cost-center", "research"),
        *places,
    ).stdout


def test_new_environment_is_previewed_as_written(twin: Twin) -> None:
    assert "valid." in new(twin, PLACES[twin.environment])
    output = twin.cli("preview", twin.environment).stdout
    match = re.search(r"\+ (\d+) to create", output)
    assert match, output
    assert int(match[1]) > 100, "the network, the cluster with its pools, add-ons and data"
    assert "gpu_pool" in output.lower() or "GpuPool" in output
    assert not twin.inventory(), "a preview creates nothing"

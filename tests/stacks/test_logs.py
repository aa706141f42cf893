"""The logs of Pods have one collector."""

from pathlib import Path
from typing import Any, Final

import pytest

from stacks import arguments
from stacks.loading import load_file
from tests.stacks.test_google_files import Change, changed

NETWORK: Final[Any] = {"cloud": "gcp"}


@pytest.mark.parametrize(
    ("change", "agent_collects"),
    [
        ({}, False),
        ({"observability": None}, True),
        ({"observability/logs": None}, True),
    ],
    ids=["with logs", "without observability", "without logs"],
)
def test_gkes_agent_collects_logs_of_pods_only_where_nothing_else_does(
    tmp_path: Path, change: Change, *, agent_collects: bool
) -> None:
    settings = load_file(changed(tmp_path, change, "gcp-dev"))
    gke: Any = arguments.cluster(settings, NETWORK).get("gke", {})
    assert gke.get("workload_logs", True) is agent_collects

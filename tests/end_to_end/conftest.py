"""Twins of the end-to-end tests: in a separate folder, so that they do not touch the user's twins."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.reduced import KUBERNETES_LAYER

LOG_LINES: Final = 2000
"""Lines at the end of a twin's log that are looked through when a test fails."""
PROBLEM_WORDS: Final = (" WARNING ", " ERROR ", "Error: ", "Error(")
PROBLEMS_SHOWN: Final = 15
LINE_LENGTH: Final = 400
LIMIT: Final = 900
"""Seconds of a test: with its fixture, which may be an environment's first `up`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings are not errors here: clients of other projects run in these tests, in users' versions. Only a
    test that hangs is ended, also on a machine that does something else."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("default", "ignore::DeprecationWarning"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LIMIT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what its twins say: their folders are gone when the run has ended."""
    report = yield
    home = getattr(item, "funcargs", {}).get("home")
    if report.failed and home is not None:
        report.sections += [(f"end of {name}", text) for name, text in _problems(home)]
    return report


def _problems(home: Path) -> Iterator[tuple[str, str]]:
    """Yield each log of the home's twins: which it is, the last of its warnings, and its last line."""
    for log in sorted(home.glob("twins/*/logs/*.log")):
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        marked = [line for line in lines[:-1] if any(word in line for word in PROBLEM_WORDS)]
        selected = [*marked[-PROBLEMS_SHOWN:], *lines[-1:]]
        yield f"{log.parts[-3]}/{log.name}", "\n".join(line[:LINE_LENGTH] for line in selected)


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

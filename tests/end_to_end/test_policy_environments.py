"""The environments before the policy pack, by the real engine: while nothing stands nothing of what they will
make is refused. Standing ones are judged where they are brought up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.judged import judged

pytestmark = pytest.mark.end_to_end

STACKS = [f"{cloud}-{profile}" for cloud in ("aws", "gcp") for profile in ("dev", "staging", "prod")]


@pytest.fixture(params=STACKS)
def empty(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """A twin in which nothing stands."""
    twin = Twin(request.param, home)
    yield twin
    twin.remove()


def test_nothing_of_an_environment_is_refused_while_nothing_of_it_stands(empty: Twin, tmp_path: Path) -> None:
    name, profile = empty.environment, empty.environment.partition("-")[2]
    found = judged(empty, tmp_path)
    assert found.code == 0, found.told
    assert f"in profile {profile} (ai-platform:environment of the stack)" in found.told, "by what, and why so"
    assert found.verdict.startswith(f"{name}: no violations; update allowed; "), found.told
    assert found.verdict.endswith("deferred to `up`"), "the cloud has told nothing yet"
    assert found.refused == set(), "code scanning opens no alert"
    assert len(found.cases) > 80, "each policy that has something to judge is a case"
    assert not [name for name, case in found.cases.items() if case.find("failure") is not None]

"""Commands on a small program that are interrupted at random moments; the next one that is not converges.

A seed that fails is repeated by its number: everything that is drawn is drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.small import HARM, Interruption, Small, campaign

pytestmark = pytest.mark.end_to_end
SEEDS = range(1, 11)
"""Of the campaign that runs every night."""


@pytest.fixture(scope="module", params=["aws", pytest.param("gcp", marks=pytest.mark.nightly)])
def small(home: Path, request: pytest.FixtureRequest) -> Iterator[Small]:
    place = Small(request.param, home)
    with place.twin.started():
        yield place


def test_ten_interruptions_leave_no_operation_process_or_resource(small: Small) -> None:
    for number, harm in enumerate((*HARM, "engine", "all", "command")):
        small.interrupt(Interruption(harm, after=1 + number % 4, late=0.1))
        if number % 4 == 3:
            small.converge("up")
            small.assert_unchanged()
            small.converge("destroy")
    small.interrupt(Interruption("all", after=0, late=4), "destroy")
    small.converge("destroy")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", SEEDS)
def test_random_interruptions_leave_no_operation_process_or_resource(small: Small, seed: int) -> None:
    campaign(small, range(seed, seed + 1), kills=3)
    small.converge("destroy")

"""Commands on a small program that are interrupted at random moments; the next one that is not converges.

A seed that fails is repeated by its number: everything that is drawn is drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import engine
from tests.end_to_end.killing import is_engine
from tests.end_to_end.small import FAILURE, HARM, Interruption, Small, campaign
from tests.kill_campaign import kill
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end
SEEDS = range(1, 7)
"""Of the campaign that runs every night."""


@pytest.fixture(scope="module", params=["aws", pytest.param("gcp", marks=pytest.mark.nightly)])
def small(home: Path, request: pytest.FixtureRequest) -> Iterator[Small]:
    place = Small(request.param, home)
    with place.twin.started():
        yield place


# In every run what test_crash.py does not kill: the command itself, and failing calls.
@pytest.mark.parametrize(
    "harms",
    [
        pytest.param(("command", FAILURE), id="three"),
        pytest.param((*HARM, "engine", "all", "command"), id="ten", marks=pytest.mark.nightly),
    ],
)
def test_interruptions_leave_no_operation_process_or_resource(small: Small, harms: tuple[str, ...]) -> None:
    for number, harm in enumerate(harms):
        small.interrupt(Interruption(harm, after=1 + number % 4, late=0.1))
        if number % 4 == 3:
            small.converge("up")
            small.assert_unchanged()
            small.converge("destroy")
    small.interrupt(Interruption("all", after=0, late=4), "destroy")
    small.converge("up")
    small.assert_unchanged()
    small.converge("destroy")


def test_create_under_way_at_a_kill_is_pending_until_the_next_up_has_succeeded(small: Small) -> None:
    twin, slow = small.twin, {"aws": "CreateVpc", "gcp": "networks.insert"}[small.cloud]
    name = ("--name", twin.environment)
    twin.cli("twin", "fault", "slow", *name, "--operation", slow, "--seconds", "20", "--times", "1")
    running = twin.spawn(*small.line("up"))
    eventually("the create is in the state", lambda: engine.has_pending(twin.instance, twin.environment), 60)
    refused = twin.cli(*small.line("up"), check=False)
    assert refused.returncode == 1
    assert f"the stack {twin.environment} is in use by process " in refused.stderr
    assert "(`pulumi up --yes" in refused.stderr, "its command"
    assert "stop it at a safe point with `kill -INT " in refused.stderr
    kill(running.pid, is_engine)
    running.wait(30)
    small.assert_no_process()
    assert engine.has_pending(twin.instance, twin.environment), "the state has what was under way"
    twin.cli("twin", "fault", "clear", *name)
    small.converge("up")
    small.converge("destroy")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", SEEDS)
def test_random_interruptions_leave_no_operation_process_or_resource(small: Small, seed: int) -> None:
    campaign(small, range(seed, seed + 1), kills=3)
    small.converge("destroy")

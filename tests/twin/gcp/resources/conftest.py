"""A configured provider on a front of the test's own."""

from __future__ import annotations

import itertools

import pytest

from tests.twin.gcp import fronts
from tests.twin.gcp.conftest import DATA
from tests.twin.gcp.resources import life
from twin.gcp.context import GcpContext
from twin.gcp.front import Front
from twin.gcp.resources import pending


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider asks for an operation again at once: what these operations wait for is there by then."""
    monkeypatch.setattr(pending, "growing_pauses", lambda: itertools.repeat(0.001))


@pytest.fixture
def gcp(google: Front) -> GcpContext:
    """A provider with one default label, services enabled."""
    return life.context(google)


@pytest.fixture(scope="module")
def shared_data(shared: Front) -> GcpContext:
    """One Google for what a module's tests are refused, with all of these services and the network `net`."""
    fronts.enable(shared, *DATA)
    return life.context(shared)


@pytest.fixture
def data(google: Front) -> GcpContext:
    """The same, with the services of the data side too."""
    fronts.enable(google, *DATA)
    return life.context(google)

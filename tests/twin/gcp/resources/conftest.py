"""A configured provider on a front of the test's own."""

from __future__ import annotations

import pytest

from tests.twin.gcp import fronts
from tests.twin.gcp.conftest import DATA
from tests.twin.gcp.resources import life
from twin.gcp.context import GcpContext
from twin.gcp.front import Front


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
